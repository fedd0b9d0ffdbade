//! Events go to the worker where their socket's traffic is; none is stranded there.

mod common;

use common::within;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::runtime::{Builder, Runtime};
use gristmill::task::JoinSet;
use std::io;
use std::sync::mpsc;

const CONNECTIONS: usize = 24;

/// Enough for every socket to have been asked where its traffic is, several times.
const ROUNDS: usize = 300;

/// Both ends of some connections.
async fn connections() -> io::Result<Vec<(TcpStream, TcpStream)>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut pairs = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = TcpStream::connect(address).await?;
        pairs.push((client, listener.accept().await?.0));
    }
    Ok(pairs)
}

/// Sends a byte there and back, in two tasks, `ROUNDS` times on each connection; gives the connections back.
async fn exchange(pairs: Vec<(TcpStream, TcpStream)>) -> io::Result<Vec<(TcpStream, TcpStream)>> {
    let mut ends = JoinSet::new();
    for (mut client, mut server) in pairs {
        let echo = gristmill::spawn(async move {
            for _ in 0..ROUNDS {
                let mut byte = [0];
                server.read_exact(&mut byte).await?;
                server.write_all(&byte).await?;
            }
            Ok::<_, io::Error>(server)
        });
        ends.spawn(async move {
            for round in 0..ROUNDS {
                let sent = [round as u8];
                client.write_all(&sent).await?;
                let mut byte = [0];
                client.read_exact(&mut byte).await?;
                assert_eq!(byte, sent);
            }
            let server = echo.await.expect("no panic")?;
            Ok::<_, io::Error>((client, server))
        });
    }
    let mut pairs = Vec::new();
    while let Some(pair) = ends.join_next().await {
        pairs.push(pair.expect("no panic")?);
    }
    Ok(pairs)
}

/// Blocks a worker until told to go on; comes back when it is blocked.
fn block_a_worker(runtime: &Runtime) -> (gristmill::task::JoinHandle<()>, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let (blocked, is_blocked) = mpsc::channel();
    let blocker = runtime.spawn(async move {
        blocked.send(()).expect("the test listens");
        released.recv().expect("the test releases");
    });
    is_blocked.recv().expect("the blocker runs");
    (blocker, release)
}

fn goes_on_beside_blocked_workers(workers: usize, blockers: usize) {
    within(
        format!("{workers} workers, {blockers} blocked"),
        move || {
            let runtime = Builder::new()
                .worker_threads(workers)
                .build()
                .expect("a runtime");
            let on_workers = |pairs| {
                let exchanged = runtime.spawn(exchange(pairs));
                runtime
                    .block_on(exchanged)
                    .expect("no panic")
                    .expect("nobody closes")
            };
            let pairs = on_workers(runtime.block_on(connections()).expect("loopback"));
            let blocked: Vec<_> = (0..blockers).map(|_| block_a_worker(&runtime)).collect();
            let pairs = on_workers(pairs);
            for (blocker, release) in blocked {
                release.send(()).expect("the blocker waits");
                runtime.block_on(blocker).expect("no panic");
            }
            assert_eq!(on_workers(pairs).len(), CONNECTIONS);
        },
    );
}

#[test]
fn connections_of_a_blocked_worker_go_on_at_its_sibling() {
    goes_on_beside_blocked_workers(2, 1);
}

#[test]
fn connections_go_on_when_every_worker_that_they_belong_to_is_blocked() {
    goes_on_beside_blocked_workers(2, 2);
}

#[test]
fn connections_of_several_blocked_workers_go_on_at_the_others() {
    goes_on_beside_blocked_workers(4, 3);
}
