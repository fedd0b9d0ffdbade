//! Sockets and timers behind stuck workers: what comes is noticed, and served by relief workers
//!
//! Every worker is in a poll that ends by what the test waits for. So the tests can only pass if somebody else does the work.

mod common;

use common::{PATIENCE, within};
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::{TcpListener, TcpStream, UdpSocket};
use gristmill::runtime::{Builder, Runtime};
use gristmill::task::{self, JoinHandle};
use gristmill::time::{Duration, Instant, sleep};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

/// How a worker is kept.
#[derive(Clone, Copy, Debug)]
enum Block {
    /// In a poll, and nobody is told.
    Poll,
    /// In `block_in_place`.
    InPlace,
}

/// Runs the test with one and with several workers, which are kept in each way.
fn on_each(test: fn(&Runtime, usize, Block)) {
    for block in [Block::Poll, Block::InPlace] {
        for workers in [1, 2, 4] {
            within(format!("{workers} workers, {block:?}"), move || {
                let builder = Builder::new().worker_threads(workers);
                let builder = match block {
                    Block::Poll => builder,
                    // Not by the watch.
                    Block::InPlace => builder.stall_threshold(None),
                };
                let runtime = builder.build().expect("a runtime");
                test(&runtime, workers, block);
            });
        }
    }
}

/// Keeps its thread until the sender is dropped.
async fn keep(block: Block, all: Arc<Barrier>, released: mpsc::Receiver<()>) {
    let body = || {
        all.wait();
        let _ = released.recv();
    };
    match block {
        Block::Poll => body(),
        Block::InPlace => task::block_in_place(body),
    }
}

/// Workers that are all kept at the same time, until this is released.
struct Kept {
    releases: Vec<mpsc::Sender<()>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Kept {
    /// Comes back once as many tasks as there are workers keep a thread each.
    fn new(runtime: &Runtime, workers: usize, block: Block) -> Self {
        let all = Arc::new(Barrier::new(workers + 1));
        let (releases, tasks) = (0..workers)
            .map(|_| {
                let (release, released) = mpsc::channel();
                let task = runtime.spawn(keep(block, Arc::clone(&all), released));
                (release, task)
            })
            .unzip();
        all.wait();
        Self { releases, tasks }
    }

    fn release(self, runtime: &Runtime) {
        drop(self.releases);
        for task in self.tasks {
            runtime.block_on(task).expect("no panic");
        }
    }
}

/// Accepts connections as a task, and echoes on each as a task of its own.
fn serve(runtime: &Runtime) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(runtime.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            drop(gristmill::spawn(echo(stream)));
        }
    }));
    address
}

async fn echo(mut stream: TcpStream) {
    let mut buf = [0; 64];
    while let Ok(count @ 1..) = stream.read(&mut buf).await {
        stream.write_all(&buf[..count]).await.expect("a reader");
    }
}

/// A client on the calling thread, which has no part in the runtime.
fn client(address: SocketAddr) -> std::net::TcpStream {
    let stream = std::net::TcpStream::connect(address).expect("it listens");
    let patience = Some(PATIENCE);
    stream.set_read_timeout(patience).expect("a socket");
    stream.set_write_timeout(patience).expect("a socket");
    stream
}

fn comes_back(stream: &mut std::net::TcpStream, text: &[u8]) {
    stream.write_all(text).expect("somebody reads");
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).expect("an echo");
    assert_eq!(back, text);
}

#[test]
fn a_connection_that_comes_while_every_worker_is_kept_is_accepted_and_served() {
    on_each(|runtime, workers, block| {
        let address = serve(runtime);
        for _ in 0..3 {
            let kept = Kept::new(runtime, workers, block);
            for _ in 0..3 {
                let mut stream = client(address);
                for text in [&b"grist"[..], b"mill"] {
                    comes_back(&mut stream, text);
                }
            }
            kept.release(runtime);
        }
    });
}

#[test]
fn an_open_connection_is_served_while_every_worker_is_kept() {
    on_each(|runtime, workers, block| {
        let address = serve(runtime);
        let mut streams: Vec<_> = (0..4).map(|_| client(address)).collect();
        for stream in &mut streams {
            comes_back(stream, b"before");
        }
        let kept = Kept::new(runtime, workers, block);
        for _ in 0..10 {
            for stream in &mut streams {
                comes_back(stream, b"meanwhile");
            }
        }
        kept.release(runtime);
        for stream in &mut streams {
            comes_back(stream, b"after");
        }
    });
}

#[test]
fn a_datagram_that_comes_while_every_worker_is_kept_is_answered() {
    on_each(|runtime, workers, block| {
        let socket = runtime.block_on(UdpSocket::bind("127.0.0.1:0"));
        let socket = socket.expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        drop(runtime.spawn(async move {
            let mut buf = [0; 64];
            while let Ok((count, from)) = socket.recv_from(&mut buf).await {
                let _ = socket.send_to(&buf[..count], from).await;
            }
        }));
        let kept = Kept::new(runtime, workers, block);
        let own = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
        own.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut buf = [0; 64];
        for text in [&b"grist"[..], b"mill"] {
            own.send_to(text, address).expect("sent");
            let (count, _) = own.recv_from(&mut buf).expect("an answer");
            assert_eq!(&buf[..count], text);
        }
        kept.release(runtime);
    });
}

/// Tells when a sleep of a millisecond is over.
async fn short_sleep(over: mpsc::Sender<Instant>) {
    let due = Instant::now() + Duration::from_millis(1);
    sleep(Duration::from_millis(1)).await;
    over.send(due).expect("a receiver");
}

#[test]
fn a_timer_set_from_outside_ends_while_every_worker_is_kept() {
    on_each(|runtime, workers, block| {
        for _ in 0..5 {
            let kept = Kept::new(runtime, workers, block);
            let (over, ended) = mpsc::channel();
            let task = runtime.spawn(short_sleep(over));
            let due = ended.recv_timeout(PATIENCE).expect("it ends");
            assert!(Instant::now() >= due, "not before its time");
            runtime.block_on(task).expect("no panic");
            kept.release(runtime);
        }
    });
}

#[test]
fn timers_of_workers_that_wait_for_them_to_end_do_end() {
    on_each(|runtime, workers, block| {
        // Each task is polled on a worker, where its timer belongs, before the workers are kept by those that wait.
        let (overs, ends): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::channel()).unzip();
        let sleeps = overs.into_iter().map(short_sleep);
        let waits = ends.into_iter().map(|end| async move {
            let body = || end.recv_timeout(PATIENCE).expect("it ends");
            match block {
                Block::Poll => body(),
                Block::InPlace => task::block_in_place(body),
            }
        });
        let pairs: Vec<_> = sleeps
            .zip(waits)
            .map(|(sleep, wait)| {
                runtime.spawn(async move {
                    // The sleep is polled first, and then this very worker is kept.
                    let sleep = gristmill::spawn(sleep);
                    task::yield_now().await;
                    let due = wait.await;
                    assert!(Instant::now() >= due, "not before its time");
                    sleep.await.expect("no panic");
                })
            })
            .collect();
        for pair in pairs {
            runtime.block_on(pair).expect("no panic");
        }
    });
}

#[test]
fn a_task_that_an_event_makes_runnable_behind_a_worker_that_is_kept_gets_another() {
    on_each(|runtime, _, block| {
        // The peer's task is in the slot of the worker that is kept until the peer has answered.
        let task = runtime.spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("it is bound");
            let (told, tell) = mpsc::channel();
            drop(gristmill::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut buf = [0; 5];
                stream.read_exact(&mut buf).await.expect("five bytes");
                told.send(buf).expect("a receiver");
            }));
            let body = move || {
                client(address).write_all(b"grist").expect("a reader");
                tell.recv_timeout(PATIENCE).expect("it was read")
            };
            match block {
                Block::Poll => body(),
                Block::InPlace => task::block_in_place(body),
            }
        });
        assert_eq!(runtime.block_on(task).expect("no panic"), *b"grist");
    });
}

#[test]
fn relief_workers_that_are_kept_too_leave_the_others_to_serve_until_the_bound() {
    within("relief of relief", || {
        const RELIEF: usize = 3;
        let builder = Builder::new().worker_threads(1).max_relief_threads(RELIEF);
        let runtime = builder.build().expect("a runtime");
        let address = serve(&runtime);
        let mut kept = Vec::new();
        for _ in 0..RELIEF {
            kept.push(Kept::new(&runtime, 1, Block::Poll));
            comes_back(&mut client(address), b"served by the next");
        }
        // The last one that can be had: from now on the kernel alone takes connections.
        let last = Kept::new(&runtime, 1, Block::Poll);
        assert_eq!(runtime.metrics().num_relief_workers(), RELIEF);
        let mut waiting = client(address);
        waiting.write_all(b"who is there").expect("a buffer");
        let answered = thread::spawn(move || {
            let mut back = [0; 12];
            waiting.read_exact(&mut back).expect("an echo");
            back
        });
        // Any one that comes free serves it.
        kept.swap_remove(1).release(&runtime);
        assert_eq!(&answered.join().expect("no panic"), b"who is there");
        for kept in kept {
            kept.release(&runtime);
        }
        last.release(&runtime);
    });
}

/// The only worker is in a poll until this is dropped; and a task that could run.
fn one_behind_another(runtime: &Runtime) -> (mpsc::Sender<()>, JoinHandle<()>, JoinHandle<()>) {
    let (release, released) = mpsc::channel();
    let (entered, enter) = mpsc::channel();
    let stuck = runtime.spawn(async move {
        entered.send(()).expect("a receiver");
        let _ = released.recv();
    });
    enter.recv_timeout(PATIENCE).expect("it gets stuck");
    (release, stuck, runtime.spawn(async {}))
}

#[test]
fn without_a_threshold_a_runnable_waits_for_the_stuck_worker_though_timers_go_on() {
    within("no threshold", || {
        let builder = Builder::new().worker_threads(1);
        let alone = builder.clone().stall_threshold(None).build();
        let alone = alone.expect("a runtime");
        let (release, stuck, waiting) = one_behind_another(&alone);
        // Another runtime, with a threshold, tells the time: its runnable does not wait.
        let watched = builder.build().expect("a runtime");
        let (release_watched, stuck_watched, relieved) = one_behind_another(&watched);
        watched
            .block_on(relieved)
            .expect("it runs beside the stall");
        // Of this thread, which is no worker: the reactor thread fires them, and could have looked for stalls each time.
        for _ in 0..20 {
            alone.block_on(sleep(Duration::from_millis(1)));
        }
        assert_eq!(alone.metrics().relief_workers(), 0);
        assert!(!waiting.is_finished(), "its worker has not come back");
        drop((release, release_watched));
        alone.block_on(waiting).expect("it runs after the stall");
        alone.block_on(stuck).expect("no panic");
        watched.block_on(stuck_watched).expect("no panic");
        assert_eq!(alone.metrics().relief_workers(), 0);
    });
}

#[test]
fn a_worker_that_wakes_while_the_reactor_thread_waits_in_its_place_is_watched_again() {
    within("watched", || {
        let runtime = Builder::new().worker_threads(1).build().expect("a runtime");
        let inside = runtime.enter();
        // Something to wait for in the poller.
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port");
        drop(inside);
        let task = runtime.spawn(async {
            // Long enough for the reactor thread to take the poller over, and with it the watch.
            thread::sleep(Duration::from_millis(10));
            sleep(Duration::from_millis(20)).await;
            let (sender, receiver) = mpsc::channel();
            drop(task::spawn(async move { sender.send(7) }));
            receiver.recv_timeout(PATIENCE)
        });
        assert_eq!(runtime.block_on(task).expect("no panic"), Ok(7));
        drop(listener);
    });
}
