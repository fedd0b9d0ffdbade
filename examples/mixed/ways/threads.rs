//! The way of threads: each end of each connection has one, and blocks it.
//!
//! ```text
//!   client thread ── request ──> server thread: fs::read
//!        │        <── body ──
//!        └── Digest::of
//! ```
//!
//! Nothing tells waiting from computing; the operating system shares the cores out among all
//! threads.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;

use super::Outcome;
use crate::digest::Digest;
use crate::failure::{Context, Failure};
use crate::heartbeat::Heartbeat;
use crate::ledger::Ledger;
use crate::protocol::{self, Answer, HEAD, Head, PATIENCE, REQUEST};

/// Does the work with threads.
pub(super) fn go(ledger: &Arc<Ledger>) -> Result<Outcome, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen")?;
    let address = listener.local_addr().context("cannot listen")?;
    let shared = Arc::clone(ledger);
    start("server", move || serve(&listener, &shared))?;
    let heartbeat = Heartbeat::start()?;

    // The clients report over a channel, so that the first failure is known at once.
    let (report, clients) = mpsc::channel();
    for _ in 0..ledger.plan.connections {
        let (ledger, report) = (Arc::clone(ledger), report.clone());
        start("client", move || {
            // Nobody listens any more once another client has failed.
            let _ = report.send(fetch_all(address, &ledger));
        })?;
    }
    drop(report);
    for _ in 0..ledger.plan.connections {
        clients.recv().context("a client panicked")??;
    }
    Ok(Outcome {
        heartbeat: heartbeat.stop()?,
        children_memory: 0,
    })
}

/// Starts a thread that nobody joins.
pub(super) fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<(), Failure> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).context("cannot start a thread")
}

/// Fetches and digests one file after the other until there is none left.
fn fetch_all(address: SocketAddr, ledger: &Ledger) -> Result<(), Failure> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).context("cannot connect")?;
    prepare(&stream).context("cannot connect")?;
    while let Some(file) = ledger.next() {
        let name = &ledger.plan.files[file];
        let body = fetch(&mut stream, file).context(format_args!("cannot fetch {name}"))?;
        ledger.enter(file, Digest::of(&body))?;
    }
    Ok(())
}

/// Fetches one file.
fn fetch(stream: &mut TcpStream, file: usize) -> io::Result<Vec<u8>> {
    stream.write_all(&protocol::request(file))?;
    receive(stream)
}

/// Reads the answer to a request that was sent.
pub(super) fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = [0; HEAD];
    stream.read_exact(&mut head)?;
    let head = Head::parse(head)?;
    let mut bytes = vec![0; head.length];
    stream.read_exact(&mut bytes)?;
    head.body(bytes)
}

/// Serves every client in a thread of its own.
pub(super) fn serve(listener: &TcpListener, ledger: &Arc<Ledger>) -> Result<(), Failure> {
    loop {
        let (stream, _) = listener.accept().context("server")?;
        let ledger = Arc::clone(ledger);
        start("server", move || serve_one(stream, &ledger))?;
    }
}

/// Answers the requests of one client until it is gone.
fn serve_one(mut stream: TcpStream, ledger: &Ledger) -> io::Result<()> {
    prepare(&stream)?;
    // The client computes between its requests, and may take its time for it.
    stream.set_read_timeout(None)?;
    let files = &ledger.plan.files;
    loop {
        let mut request = [0; REQUEST];
        stream.read_exact(&mut request)?;
        let path = &files[protocol::requested(request, files.len())?];
        let answer: Answer = fs::read(path).map_err(|error| error.to_string());
        stream.write_all(&protocol::frame(&answer))?;
    }
}

/// Sets what both ends need: no delay, and no endless wait.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}
