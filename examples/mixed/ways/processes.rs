//! The way of processes: one per core, each doing one thing after the other.
//!
//! ```text
//!   process of the way                        worker process, one per core
//!   a thread per worker:
//!   stdin:   the file names          ----->
//!            a chunk of file numbers ----->   for each: serve it, fetch it, digest it
//!   stdout:  the digests             <-----
//!            the peak of its memory  <-----   when its input has ended
//! ```
//!
//! This is how programs get on that can only compute in parallel in separate processes. A worker
//! has one thread and both ends of one connection. It writes a piece of the body to the one end
//! and reads it from the other, so that neither end ever waits. Chunks are handed out as workers
//! become free. The heartbeat lives in the process of the way, see [`crate::heartbeat`].
//!
//! Messages are JSON, one a line. Whoever finds the other side gone ends.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Arc, mpsc};
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Outcome;
use crate::digest::Digest;
use crate::failure::{Context, Failure};
use crate::heartbeat::Heartbeat;
use crate::isolated;
use crate::ledger::Ledger;
use crate::protocol::{self, Answer, HEAD, Head, PATIENCE, REQUEST};
use crate::usage;

/// Bytes that are on their way at a time. They must fit into the buffers of a connection.
const PIECE: usize = 32 * 1024;
/// Chunks for each worker, so that the last ones to finish do not finish late.
const CHUNKS: usize = 16;

/// Does the work with worker processes.
pub(super) fn go(ledger: &Arc<Ledger>) -> Result<Outcome, Failure> {
    let heartbeat = Heartbeat::start()?;
    let (report, workers) = mpsc::channel();
    for _ in 0..ledger.plan.cores {
        let (ledger, report) = (Arc::clone(ledger), report.clone());
        let supervise = move || {
            // Nobody listens any more once another worker has failed.
            let _ = report.send(supervise(&ledger));
        };
        let thread = thread::Builder::new()
            .name("supervisor".to_owned())
            .spawn(supervise);
        thread.context("cannot start a thread")?;
    }
    drop(report);
    let mut children_memory = 0;
    for _ in 0..ledger.plan.cores {
        children_memory += workers.recv().context("a supervisor panicked")??;
    }
    Ok(Outcome {
        heartbeat: heartbeat.stop()?,
        children_memory,
    })
}

/// A worker process, as its supervisor sees it. It is killed if it is dropped before its end.
struct Worker {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let mut child = isolated::again()?.arg("--worker").spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(to), Some(from)) => Ok(Self {
                child,
                to,
                from: BufReader::new(from),
            }),
            _ => Err(io::Error::other("it has no input or output")),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and is waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps one worker busy until there are no files left. Gives the peak of its memory.
fn supervise(ledger: &Ledger) -> Result<u64, Failure> {
    let doing = "worker process";
    let mut worker = Worker::start().context("cannot start a worker process")?;
    let chunk = (ledger.plan.items() / (ledger.plan.cores * CHUNKS)).max(1);
    send(&mut worker.to, &ledger.plan.files).context(doing)?;
    loop {
        let files = ledger.next_chunk(chunk);
        // An empty chunk is the last one; its answer is the peak of the memory.
        send(&mut worker.to, &files).context(doing)?;
        if files.is_empty() {
            break;
        }
        let digests: Result<Vec<Digest>, String> = receive(&mut worker.from).context(doing)?;
        for (file, digest) in files.into_iter().zip(digests.map_err(Failure::Run)?) {
            ledger.enter(file, digest)?;
        }
    }
    let memory: Option<u64> = receive(&mut worker.from).context(doing)?;
    let status = worker.child.wait().context(doing)?;
    if !status.success() {
        return Err(Failure::Run(format!("{doing}: {status}")));
    }
    Ok(memory.unwrap_or(0))
}

/// What a worker process does: chunk after chunk from its input. When the supervisor is gone there
/// is nobody to work for or to tell, and the worker ends.
pub(crate) fn work() -> Result<(), Failure> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let Ok(names) = receive::<Vec<String>>(&mut input) else {
        return Ok(());
    };
    let mut connection = Connection::open().context("cannot connect")?;
    while let Ok(files) = receive::<Vec<usize>>(&mut input) {
        if files.is_empty() {
            // The supervisor sees a failure to send this as an early end.
            let _ = send(&mut output, &usage::peak_memory());
            break;
        }
        let digests: Result<Vec<Digest>, String> = files
            .into_iter()
            .map(|file| connection.digest(&names, file))
            .collect();
        if send(&mut output, &digests).is_err() {
            break;
        }
    }
    Ok(())
}

/// Both ends of a connection, in one thread.
struct Connection {
    client: TcpStream,
    server: TcpStream,
}

impl Connection {
    fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let client = TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)?;
        let (server, _) = listener.accept()?;
        for end in [&client, &server] {
            end.set_nodelay(true)?;
            end.set_read_timeout(Some(PATIENCE))?;
            end.set_write_timeout(Some(PATIENCE))?;
        }
        Ok(Self { client, server })
    }

    /// Serves, fetches and digests one file. An error is a sentence that names it.
    fn digest(&mut self, names: &[String], file: usize) -> Result<Digest, String> {
        match self.exchange(names, file) {
            Ok(body) => Ok(Digest::of(&body)),
            Err(error) => {
                let name = names.get(file).map_or("a file", String::as_str);
                Err(format!("cannot fetch {name}: {error}"))
            }
        }
    }

    /// One exchange of the protocol, both ends in turn.
    fn exchange(&mut self, names: &[String], file: usize) -> io::Result<Vec<u8>> {
        self.client.write_all(&protocol::request(file))?;

        let mut request = [0; REQUEST];
        self.server.read_exact(&mut request)?;
        let path = &names[protocol::requested(request, names.len())?];
        let answer: Answer = fs::read(path).map_err(|error| error.to_string());
        let (head, bytes) = protocol::frame(&answer);
        self.server.write_all(&head)?;

        let mut head = [0; HEAD];
        self.client.read_exact(&mut head)?;
        let head = Head::parse(head)?;
        let mut received = vec![0; head.length];
        for (piece, place) in bytes.chunks(PIECE).zip(received.chunks_mut(PIECE)) {
            self.server.write_all(piece)?;
            self.client.read_exact(place)?;
        }
        head.body(received)
    }
}

/// Sends one line.
fn send(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

/// Receives one line. That there is none is an error.
fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<T> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "ended early"));
    }
    Ok(serde_json::from_str(&line)?)
}
