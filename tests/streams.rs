//! What the streams promise: generators, bounds, several items at a time, and the streams of the other modules.

mod common;

use common::room::Room;
use common::temp_dir::TempDir;
use common::{Count, CountingWaker, Flavour, on_each, panic_text};
use gristmill::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use gristmill::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use gristmill::stream::{self, ConcurrentExt, Stream, StreamExt, TimeoutExt, stream, try_stream};
use gristmill::time::{Duration, Instant, interval, sleep};
use std::pin::pin;
use std::task::Poll;

const SECOND: Duration = Duration::from_secs(1);

/// Runs on a clock that jumps to the next deadline.
fn on_paused_time<F: Future>(future: F) -> F::Output {
    let runtime = Flavour::CurrentThread.builder().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// Numbers, a second apart.
fn ticker(count: u32) -> impl Stream<Item = u32> {
    stream! {
        for n in 0..count {
            sleep(SECOND).await;
            yield n;
        }
    }
}

#[test]
fn a_generator_goes_on_where_it_yielded() {
    on_paused_time(async {
        let start = Instant::now();
        let mut ticks = pin!(ticker(3));
        for n in 0..3 {
            assert_eq!(ticks.next().await, Some(n));
            assert_eq!(start.elapsed(), SECOND * (n + 1));
        }
        assert_eq!(ticks.next().await, None);
    });
}

#[test]
fn a_generator_does_nothing_before_it_is_asked_and_drops_what_it_holds() {
    let (polls, drops) = (Count::default(), Count::default());
    let (polled, probe) = (polls.clone(), drops.on_drop());
    let mut numbers = Box::pin(stream! {
        let _probe = probe;
        for n in 0.. {
            polled.add();
            yield n;
        }
    });
    assert_eq!(polls.get(), 0);
    let mut two = Box::pin(async { (numbers.next().await, numbers.next().await) });
    let got = CountingWaker::new().poll(&mut two);
    assert_eq!(got, Poll::Ready((Some(0), Some(1))));
    drop(two);
    assert_eq!((polls.get(), drops.get()), (2, 0));
    drop(numbers);
    assert_eq!(drops.get(), 1);
}

#[test]
fn giving_up_a_next_leaves_the_generator_where_it_waits() {
    on_paused_time(async {
        let mut ticks = pin!(ticker(2));
        let early = gristmill::time::timeout(SECOND / 2, ticks.next()).await;
        assert!(early.is_err());
        let start = Instant::now();
        assert_eq!(ticks.next().await, Some(0));
        assert_eq!(start.elapsed(), SECOND / 2, "it did not begin anew");
    });
}

#[test]
fn a_question_mark_ends_a_generator_with_the_error() {
    on_each(|runtime| {
        let numbers = try_stream! {
            for text in ["1", "two", "3"] {
                let number: u32 = text.parse().map_err(|_| text)?;
                yield number;
            }
        };
        let all: Vec<Result<u32, &str>> = runtime.block_on(numbers.collect());
        assert_eq!(all, [Ok(1), Err("two")]);
    });
}

#[test]
fn a_generator_can_run_in_a_task() {
    on_each(|runtime| {
        let sum = runtime.spawn(async {
            let numbers = stream! {
                for n in 0..100_u32 {
                    gristmill::task::yield_now().await;
                    yield n;
                }
            };
            numbers.fold(0, |sum, n| sum + n).await
        });
        assert_eq!(runtime.block_on(sum).expect("no panic"), 4_950);
    });
}

#[test]
fn an_item_that_is_late_is_an_error_and_the_stream_goes_on() {
    on_paused_time(async {
        let uneven = stream! {
            for seconds in [1, 5, 1] {
                sleep(SECOND * seconds).await;
                yield seconds;
            }
        };
        let mut bounded = pin!(uneven.timeout(SECOND * 2));
        let mut items = Vec::new();
        while let Some(item) = bounded.next().await {
            items.push(item.ok());
        }
        assert_eq!(items, [Some(1), None, None, Some(5), Some(1)]);
    });
}

#[test]
fn an_item_that_is_ready_together_with_its_bound_is_in_time() {
    on_paused_time(async {
        let mut bounded = stream::iter([1, 2]).timeout(Duration::ZERO);
        assert_eq!(bounded.next().await, Some(Ok(1)));
        sleep(SECOND).await;
        assert_eq!(bounded.next().await, Some(Ok(2)));
        assert_eq!(bounded.next().await, None);
    });
}

#[test]
fn at_most_so_many_items_are_worked_on_at_a_time() {
    on_each(|runtime| {
        runtime.block_on(async {
            let room = Room::new(7);
            let work = |n: usize| {
                let room = room.clone();
                async move {
                    let _inside = room.enter(1);
                    for _ in 0..1 + n % 5 {
                        gristmill::task::yield_now().await;
                    }
                    n
                }
            };
            let mut all: Vec<_> = stream::iter(0..100)
                .map(work)
                .buffer_unordered(7)
                .collect()
                .await;
            all.sort_unstable();
            assert_eq!(all, (0..100).collect::<Vec<_>>());
            let in_order: Vec<_> = stream::iter(0..100).map(work).buffered(7).collect().await;
            assert_eq!(in_order, (0..100).collect::<Vec<_>>());
            let each = stream::iter(0..100);
            each.for_each_concurrent(7, async |n| assert_eq!(work(n).await, n))
                .await;
            let most = room.peak();
            assert!((2..=7).contains(&most), "{most} at a time");
        });
    });
}

#[test]
fn dropping_a_buffer_after_any_number_of_items_drops_what_is_in_progress() {
    for taken in 0..4 {
        let drops = Count::default();
        let made = Count::default();
        let mut buffer = Box::pin(
            stream::iter(0..10)
                .map(|n| {
                    made.add();
                    let probe = drops.on_drop();
                    async move {
                        let _probe = probe;
                        if n % 2 == 1 {
                            std::future::pending::<()>().await;
                        }
                    }
                })
                .buffer_unordered(5),
        );
        for _ in 0..taken {
            let mut next = Box::pin(buffer.next());
            assert!(CountingWaker::new().poll(&mut next).is_ready());
        }
        drop(buffer);
        assert_eq!(drops.get(), made.get());
    }
}

#[test]
fn a_limit_of_zero_is_refused_with_the_reason() {
    let items = || stream::iter([1]);
    let each: [&dyn Fn(); 3] = [
        &|| drop(items().map(std::future::ready).buffer_unordered(0)),
        &|| drop(items().map(std::future::ready).buffered(0)),
        &|| drop(items().for_each_concurrent(0, async |_| ())),
    ];
    for refused in each {
        let text = panic_text(refused);
        assert!(text.contains("at least 1"), "{text}");
    }
}

#[test]
fn an_interval_is_a_stream_of_ticks() {
    on_paused_time(async {
        let start = Instant::now();
        let ticks: Vec<_> = interval(SECOND).take(3).collect().await;
        let at: Vec<_> = ticks
            .into_iter()
            .map(|tick| (tick - start).as_secs())
            .collect();
        assert_eq!(at, [0, 1, 2]);
    });
}

#[test]
fn the_lines_of_a_reader_are_a_stream() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, other) = UnixStream::pair().expect("a pair");
            let writing = gristmill::spawn(async move {
                one.write_all(b"first\nsecond\r\n\nlast")
                    .await
                    .expect("written");
            });
            let lines: Vec<String> = BufReader::new(other)
                .lines()
                .try_collect()
                .await
                .expect("read");
            assert_eq!(lines, ["first", "second", "", "last"]);
            writing.await.expect("no panic");
        });
    });
}

#[test]
fn connections_come_as_streams_over_tcp_and_unix() {
    on_each(|runtime| {
        runtime.block_on(async {
            let tcp = TcpListener::bind("127.0.0.1:0").await.expect("bound");
            let address = tcp.local_addr().expect("bound");
            let folder = TempDir::new();
            let path = folder.path().join("socket");
            let unix = UnixListener::bind(&path).expect("bound");
            let clients = gristmill::spawn(async move {
                for n in 0..3_u8 {
                    let mut stream = TcpStream::connect(address).await.expect("accepted");
                    stream.write_all(&[n]).await.expect("written");
                    let mut stream = UnixStream::connect(&path).await.expect("accepted");
                    stream.write_all(&[n]).await.expect("written");
                }
            });
            let (mut over_tcp, mut over_unix) = (tcp.incoming(), unix.incoming());
            for n in 0..3 {
                let mut byte = [9];
                let mut stream = over_tcp
                    .next()
                    .await
                    .expect("never ends")
                    .expect("accepted");
                stream.read_exact(&mut byte).await.expect("sent");
                assert_eq!(byte, [n]);
                let mut stream = over_unix
                    .next()
                    .await
                    .expect("never ends")
                    .expect("accepted");
                stream.read_exact(&mut byte).await.expect("sent");
                assert_eq!(byte, [n]);
            }
            clients.await.expect("no panic");
        });
    });
}
