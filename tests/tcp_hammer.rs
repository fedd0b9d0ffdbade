//! Whatever is aborted or dropped in the middle of a transfer, nothing leaks and the runtime goes on.
//!
//! One test only: it counts the descriptors of the process.

mod common;
mod wire;

use common::{eventually, on_each};
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::runtime::Runtime;
use gristmill::task::{JoinHandle, JoinSet, yield_now};
use std::net::SocketAddr;
use wire::{Chance, echo, forget_when_dropped, pattern, tcp_pair};

const ROUNDS: u64 = 12;
const CLIENTS: u64 = 32;

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd")
        .expect("a list of descriptors")
        .count()
}

async fn fresh_echo() {
    let (mut client, server) = tcp_pair().await;
    let server = gristmill::spawn(echo(server));
    let sent = pattern(10_000);
    let mut received = vec![0; sent.len()];
    client.write_all(&sent).await.expect("a write");
    client.read_exact(&mut received).await.expect("a read");
    assert!(received == sent);
    drop(client);
    server.await.expect("no panic").expect("an echo");
}

/// Serves echoes, and aborts one of them now and then.
async fn serve(listener: TcpListener, seed: u64) {
    let mut chance = Chance::new(seed);
    let mut serving: Vec<JoinHandle<_>> = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        serving.push(gristmill::spawn(echo(stream)));
        if chance.below(3) == 0 {
            let victim = chance.below(serving.len());
            serving.swap_remove(victim).abort();
        }
    }
}

/// Talks for a while and goes away in one way or another.
async fn visit(address: SocketAddr, seed: u64) {
    let mut chance = Chance::new(seed);
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return;
    };
    stream.set_nodelay(true).expect("an option");
    if chance.below(4) != 0 {
        forget_when_dropped(&stream);
    }
    for _ in 0..chance.below(12) {
        let sent = pattern(1 + chance.below(20_000));
        let mut received = vec![0; sent.len()];
        // The server may be gone at any time.
        if stream.write_all(&sent).await.is_err() {
            return;
        }
        match chance.below(3) {
            0 => return,
            1 => {
                let (mut reader, writer) = stream.into_split();
                drop(writer);
                let _ = reader.read(&mut received).await;
                return;
            }
            _ => {}
        }
        if stream.read_exact(&mut received).await.is_err() {
            return;
        }
        assert!(received == sent);
    }
}

async fn hammer(round: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let server = gristmill::spawn(serve(listener, round));
    let mut chance = Chance::new(round + 1000);
    let mut visitors = JoinSet::new();
    for visitor in 0..CLIENTS {
        let abort = visitors.spawn(visit(address, round * CLIENTS + visitor));
        if chance.below(4) == 0 {
            for _ in 0..chance.below(4) {
                yield_now().await;
            }
            abort.abort();
        }
    }
    // Some visitors are in the middle of something when the server and its echoes go.
    for _ in 0..CLIENTS / 2 {
        visitors.join_next().await;
    }
    server.abort();
    while let Some(ended) = visitors.join_next().await {
        if let Err(error) = ended {
            assert!(error.is_cancelled(), "{error}");
        }
    }
}

fn nothing_leaks(runtime: &Runtime) {
    runtime.block_on(fresh_echo());
    let before = open_descriptors();
    for round in 0..ROUNDS {
        runtime.block_on(hammer(round));
    }
    // The echoes whose handles the server dropped end when they see that their peers are gone.
    eventually("all descriptors are closed", || {
        runtime.block_on(yield_now());
        open_descriptors() == before
    });
    runtime.block_on(fresh_echo());
}

#[test]
fn aborts_and_drops_in_mid_transfer_leak_nothing() {
    on_each(nothing_leaks);
}
