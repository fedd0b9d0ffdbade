//! The way of the runtime: tasks wait, pools work.
//!
//! ```text
//!   client task ── request ──> server task ── spawn_blocking ──> fs::read
//!        │       <── body ──        │     <────── body ──────
//!        └── spawn_compute ──> Digest::of
//! ```
//!
//! There is a task for each end of each connection, and two for the heartbeat. None of them blocks
//! or computes, so that each is polled as soon as its socket or timer is ready, however busy the
//! compute pool is.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use gristmill::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::task::JoinSet;
use gristmill::time::{sleep, timeout};

use super::Outcome;
use crate::digest::Digest;
use crate::failure::{Context, Failure};
use crate::heartbeat::{Beats, Figures, PAYLOAD};
use crate::ledger::Ledger;
use crate::protocol::{self, Answer, HEAD, Head, PATIENCE, REQUEST};

/// Does the work on a runtime with default settings.
pub(super) fn go(ledger: &Arc<Ledger>) -> Result<Outcome, Failure> {
    let heartbeat = gristmill::run(work(Arc::clone(ledger)))?;
    Ok(Outcome {
        heartbeat,
        children_memory: 0,
    })
}

/// Starts the services, the heartbeat and the clients, and waits for the clients. The services go
/// on until the runtime ends.
async fn work(ledger: Arc<Ledger>) -> Result<Figures, Failure> {
    let listener = listen().await?;
    let address = listener.local_addr().context("server")?;
    drop(gristmill::spawn(serve(listener, Arc::clone(&ledger))));

    let stop = Arc::new(AtomicBool::new(false));
    let heartbeat = gristmill::spawn(beat(connect(start_echo().await?).await?, Arc::clone(&stop)));

    let mut clients = JoinSet::new();
    for _ in 0..ledger.plan.connections {
        clients.spawn(fetch_all(address, Arc::clone(&ledger)));
    }
    while let Some(client) = clients.join_next().await {
        client.context("client")??;
    }

    // ORDERING: Relaxed. The flag says that there is something to stop, and nothing else.
    stop.store(true, Ordering::Relaxed);
    let beats = heartbeat.await.context("heartbeat")?;
    Ok(beats.context("heartbeat")?.figures())
}

/// Fetches and digests one file after the other until there is none left.
async fn fetch_all(address: SocketAddr, ledger: Arc<Ledger>) -> Result<(), Failure> {
    let mut stream = BufReader::new(connect(address).await?);
    while let Some(file) = ledger.next() {
        let name = &ledger.plan.files[file];
        let body = in_time(fetch(&mut stream, file)).await;
        let body = body.context(format_args!("cannot fetch {name}"))?;
        let digest = gristmill::spawn_compute(move || Digest::of(&body))
            .await
            .context(format_args!("cannot digest {name}"))?;
        ledger.enter(file, digest)?;
    }
    Ok(())
}

/// Fetches one file.
async fn fetch(stream: &mut BufReader<TcpStream>, file: usize) -> io::Result<Vec<u8>> {
    stream.get_mut().write_all(&protocol::request(file)).await?;
    let mut head = [0; HEAD];
    stream.read_exact(&mut head).await?;
    let head = Head::parse(head)?;
    let mut bytes = vec![0; head.length];
    stream.read_exact(&mut bytes).await?;
    head.body(bytes)
}

/// Serves every client in a task of its own.
async fn serve(listener: TcpListener, ledger: Arc<Ledger>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        drop(gristmill::spawn(serve_one(stream, Arc::clone(&ledger))));
    }
}

/// Answers the requests of one client until it is gone.
async fn serve_one(stream: TcpStream, ledger: Arc<Ledger>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let files = &ledger.plan.files;
    loop {
        let mut request = [0; REQUEST];
        stream.read_exact(&mut request).await?;
        let path = files[protocol::requested(request, files.len())?].clone();
        let read = gristmill::spawn_blocking(move || std::fs::read(path)).await;
        let answer: Answer = match read {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let message = protocol::frame(&answer);
        stream.get_mut().write_all(&message).await?;
    }
}

/// Starts the echo service of the heartbeat, for one client.
async fn start_echo() -> Result<SocketAddr, Failure> {
    let listener = listen().await?;
    let address = listener.local_addr().context("echo service")?;
    drop(gristmill::spawn(echo(listener)));
    Ok(address)
}

/// Sends back what the one client sends, until it is gone.
async fn echo(listener: TcpListener) -> io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let mut payload = [0; PAYLOAD];
    loop {
        stream.read_exact(&mut payload).await?;
        stream.write_all(&payload).await?;
    }
}

/// Beats until it is told to stop.
async fn beat(mut stream: TcpStream, stop: Arc<AtomicBool>) -> io::Result<Beats> {
    let mut beats = Beats::new();
    let mut payload = [0; PAYLOAD];
    // ORDERING: Relaxed, see `work`.
    while !stop.load(Ordering::Relaxed) {
        sleep(beats.due().saturating_duration_since(Instant::now())).await;
        let sent = Instant::now();
        in_time(async {
            stream.write_all(&payload).await?;
            stream.read_exact(&mut payload).await
        })
        .await?;
        beats.enter(sent);
    }
    Ok(beats)
}

/// A listener on a free port of the loopback address.
async fn listen() -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("cannot listen")
}

/// A connection to a service of ours.
async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = in_time(TcpStream::connect(address))
        .await
        .context("cannot connect")?;
    stream.set_nodelay(true).context("cannot connect")?;
    Ok(stream)
}

/// Waits for the other end, but not forever.
async fn in_time<T>(wait: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(PATIENCE, wait).await {
        Ok(outcome) => outcome,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
