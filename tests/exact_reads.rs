//! Reads that fill their buffer: what is left behind them is never forgotten, though an attempt is spared where there is mostly nothing.

mod common;

use common::{Flavour, on_each, within};
use gristmill::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use gristmill::net::{TcpStream, UnixStream};
use gristmill::runtime::Builder;
use gristmill::time::timeout;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::time::Duration;

const LENGTH: usize = 64;

/// More than the attempts in vain that it takes until the first is spared.
const MANY: usize = 150;

/// More than those that make up for a message that had another behind it; not a multiple of sixteen.
const MANY_MORE: usize = 1_201;

/// Tries until the next is taken as it is.
const MOST_TRIES: usize = 2;

/// Whether anything is ever taken for drained. That it is, says a test of `runtime-core`.
const IS_DONE: bool = cfg!(all(target_os = "linux", not(gristmill_portable)));

/// Reads messages of one length, each into a buffer that it fills, from a peer that writes when it is told to.
struct Line<S> {
    reader: S,
    peer: Box<dyn Peer>,
}

trait Peer: Read + Write + Send {}

impl<T: Read + Write + Send> Peer for T {}

fn tcp() -> Line<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    let peer = std::net::TcpStream::connect(address).expect("a connection");
    let (reader, _) = listener.accept().expect("a connection");
    // An answer right behind another is not to wait for the peer's next message.
    reader.set_nodelay(true).expect("an option");
    Line {
        reader: TcpStream::from_std(reader).expect("inside a runtime"),
        peer: Box::new(peer),
    }
}

fn unix() -> Line<UnixStream> {
    let (reader, peer) = std::os::unix::net::UnixStream::pair().expect("a pair");
    Line {
        reader: UnixStream::from_std(reader).expect("inside a runtime"),
        peer: Box::new(peer),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    async fn read(&mut self) {
        let mut message = [0; LENGTH];
        self.reader.read_exact(&mut message).await.expect("a read");
        assert_eq!(message, [7; LENGTH]);
    }

    /// One poll of a read: whether there was a message.
    async fn poll_once(&mut self) -> bool {
        let mut read = pin!(self.read());
        poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_ready())).await
    }

    fn send(&mut self, messages: usize) {
        let sent = vec![7; messages * LENGTH];
        self.peer.write_all(&sent).expect("a write");
    }

    async fn answer(&mut self) {
        self.reader.write_all(&[1]).await.expect("a write");
        self.peer.read_exact(&mut [0]).expect("an answer");
    }

    /// Reads and answers messages that come one by one, each when it is waited for.
    async fn converse(&mut self, messages: usize) {
        for _ in 0..messages {
            assert!(!self.poll_once().await);
            self.send(1);
            self.read().await;
            self.answer().await;
        }
    }
}

/// A line of which a message was read that had another behind it, and that was taken for drained; but for machines that stand still again and
/// again, where that seldom comes about.
async fn with_one_left<S: AsyncRead + AsyncWrite + Unpin>(make: fn() -> Line<S>) -> Line<S> {
    let mut tries = 0;
    loop {
        let mut line = make();
        // A try that failed can cost the worker a thousand messages of credit.
        line.converse(MANY + tries * MANY_MORE).await;
        assert!(!line.poll_once().await);
        line.send(2);
        line.read().await;
        // Once in sixteen times the runtime tries at once; and where the machine stands still, it does more often.
        if !IS_DONE || tries == MOST_TRIES || !line.poll_once().await {
            return line;
        }
        tries += 1;
    }
}

#[test]
fn a_message_right_behind_another_is_read() {
    on_each(|runtime| {
        let reading = runtime.spawn(async { with_one_left(tcp).await.read().await });
        runtime.block_on(reading).expect("no panic");
    });
}

#[test]
fn the_same_of_a_unix_stream() {
    on_each(|runtime| {
        let reading = runtime.spawn(async { with_one_left(unix).await.read().await });
        runtime.block_on(reading).expect("no panic");
    });
}

/// Runs `body` on a worker that never sleeps, for there are others that yield again and again.
fn beside_busy_tasks<F: Future<Output = ()> + Send + 'static>(body: fn() -> F) {
    for flavour in [Flavour::OneWorker, Flavour::CurrentThread] {
        within(format!("{flavour:?}"), move || {
            let runtime = flavour.runtime();
            let is_over = Arc::new(AtomicBool::new(false));
            let busy = [(); 20].map(|()| {
                let is_over = Arc::clone(&is_over);
                runtime.spawn(async move {
                    while !is_over.load(Ordering::Relaxed) {
                        gristmill::task::yield_now().await;
                    }
                })
            });
            let body = runtime.spawn(body());
            let outcome = runtime.block_on(body);
            is_over.store(true, Ordering::Relaxed);
            for task in busy {
                runtime.block_on(task).expect("no panic");
            }
            outcome.expect("no panic");
        });
    }
}

#[test]
fn it_is_read_beside_tasks_that_keep_the_worker_busy() {
    beside_busy_tasks(|| async { with_one_left(tcp).await.read().await });
}

/// Reads what there is, and answers it, while a peer sends two messages for one answer. How many were left at the most.
async fn most_left(line: &mut Line<TcpStream>) -> usize {
    let (mut unread, mut most) = (0, 0);
    for _ in 0..100 {
        line.send(2);
        unread += 2;
        line.read().await;
        unread -= 1;
        line.answer().await;
        while line.poll_once().await {
            unread -= 1;
            line.answer().await;
        }
        most = most.max(unread);
    }
    for _ in 0..unread {
        line.read().await;
    }
    most
}

#[test]
fn a_reader_does_not_fall_behind_a_peer_that_sends_two_for_one_answer() {
    beside_busy_tasks(|| async {
        for tries in 0..=MOST_TRIES {
            let mut line = tcp();
            line.converse(MANY + tries * MANY_MORE).await;
            let most = most_left(&mut line).await;
            assert!(most <= 40, "{most} messages were left");
            if most > 0 || !IS_DONE {
                return;
            }
        }
    });
}

#[test]
fn it_is_read_before_a_paused_clock_moves() {
    within("paused", || {
        let builder = Builder::new_current_thread().start_paused(true);
        let runtime = builder.build().expect("a runtime");
        runtime.block_on(async {
            let mut line = with_one_left(tcp).await;
            let second = timeout(Duration::from_secs(1), line.read());
            second.await.expect("it was there all the time");
        });
    });
}

#[test]
fn who_does_not_wait_sees_it_at_once() {
    on_each(|runtime| {
        let reading = runtime.spawn(async {
            let line = with_one_left(tcp).await;
            let mut message = [0; LENGTH];
            assert_eq!(
                line.reader.try_read(&mut message).expect("a message"),
                LENGTH
            );
        });
        runtime.block_on(reading).expect("no panic");
    });
}

/// Reads a message under a runtime of its own.
fn read_elsewhere(mut line: Line<TcpStream>) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(line.read());
}

#[test]
fn it_is_read_elsewhere_while_its_worker_is_stuck() {
    within("one worker, without relief", || {
        let runtime = Builder::new()
            .worker_threads(1)
            .max_relief_threads(0)
            .build()
            .expect("a runtime");
        let (send_line, line) = mpsc::channel();
        let (is_read, wait) = mpsc::channel();
        let stuck = runtime.spawn(async move {
            let line = with_one_left(tcp).await;
            send_line.send(line).expect("somebody reads");
            wait.recv().expect("it is read");
        });
        read_elsewhere(line.recv().expect("a line"));
        is_read.send(()).expect("the worker waits");
        runtime.block_on(stuck).expect("no panic");
    });
}

/// Has a future on the worker of a current-thread runtime leave a message behind as its last act, and reads it elsewhere.
fn left_by_the_last_poll(last_act: fn()) {
    within("a current-thread runtime", move || {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let left = Mutex::new(None);
        let root = async {
            let line = with_one_left(tcp).await;
            *left.lock().expect("no panic under it") = Some(line);
            last_act();
        };
        let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(root)));
        let line = left.into_inner().expect("no panic under it");
        read_elsewhere(line.expect("a line"));
        drop(runtime);
    });
}

#[test]
fn it_is_read_elsewhere_after_its_worker_has_gone() {
    left_by_the_last_poll(|| {});
}

#[test]
fn it_is_read_elsewhere_after_its_worker_has_panicked() {
    left_by_the_last_poll(|| std::panic::resume_unwind(Box::new("on purpose")));
}
