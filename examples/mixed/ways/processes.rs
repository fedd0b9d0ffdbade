//! The way of processes: a server, and a worker process per core for its clients.
//!
//! ```text
//!   process of the way                        worker process, one per core
//!   a thread per worker:
//!   stdin:   what there is to fetch  ----->   opens its share of the connections
//!            a chunk of file numbers ----->   fetches and digests them
//!   stdout:  the digests             <-----
//!            the peak of its memory  <-----   when its input has ended
//!
//!   a thread per connection:
//!            request                 <-----   on every connection, before it waits for one
//!            body                    ----->
//! ```
//!
//! This is how programs get on that can only compute in parallel in separate processes. As in the
//! other ways, server and client know nothing of each other, and there are as many connections. A
//! worker has one thread; it keeps a request under way on each of its connections while it digests
//! what came on another. Chunks are handed out as workers become free. The heartbeat lives in the
//! process of the way, see [`crate::heartbeat`].
//!
//! Messages are JSON, one a line. Whoever finds the other side gone ends.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Arc, mpsc};
use std::thread;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Outcome, threads};
use crate::digest::Digest;
use crate::failure::{Context, Failure};
use crate::heartbeat::Heartbeat;
use crate::isolated;
use crate::ledger::Ledger;
use crate::protocol::{self, PATIENCE};
use crate::usage;

/// Chunks for each worker, so that the last ones to finish do not finish late.
const CHUNKS: usize = 16;

/// Does the work with worker processes.
pub(super) fn go(ledger: &Arc<Ledger>) -> Result<Outcome, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen")?;
    let server = listener.local_addr().context("cannot listen")?;
    let shared = Arc::clone(ledger);
    threads::start("server", move || threads::serve(&listener, &shared))?;
    let heartbeat = Heartbeat::start()?;
    let (report, workers) = mpsc::channel();
    for _ in 0..ledger.plan.cores {
        let (ledger, report) = (Arc::clone(ledger), report.clone());
        let supervise = move || {
            // Nobody listens any more once another worker has failed.
            let _ = report.send(supervise(&ledger, server));
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

/// What a worker is told first.
#[derive(Serialize, Deserialize)]
struct Task {
    /// The files, by number.
    names: Vec<String>,
    /// Who serves them.
    server: SocketAddr,
    /// How many connections to open.
    connections: usize,
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
fn supervise(ledger: &Ledger, server: SocketAddr) -> Result<u64, Failure> {
    let doing = "worker process";
    let mut worker = Worker::start().context("cannot start a worker process")?;
    let chunk = (ledger.plan.items() / (ledger.plan.cores * CHUNKS)).max(1);
    let task = Task {
        names: ledger.plan.files.clone(),
        server,
        connections: ledger.plan.connections.div_ceil(ledger.plan.cores),
    };
    send(&mut worker.to, &task).context(doing)?;
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
    let Ok(task) = receive::<Task>(&mut input) else {
        return Ok(());
    };
    let mut clients = Clients::open(task).context("cannot connect")?;
    while let Ok(files) = receive::<Vec<usize>>(&mut input) {
        if files.is_empty() {
            // The supervisor sees a failure to send this as an early end.
            let _ = send(&mut output, &usage::peak_memory());
            break;
        }
        if send(&mut output, &clients.digest_all(&files)).is_err() {
            break;
        }
    }
    Ok(())
}

/// The clients of one worker.
struct Clients {
    names: Vec<String>,
    streams: Vec<TcpStream>,
}

impl Clients {
    fn open(task: Task) -> io::Result<Self> {
        let connect = |_| {
            let stream = TcpStream::connect_timeout(&task.server, PATIENCE)?;
            threads::prepare(&stream)?;
            Ok(stream)
        };
        let streams: io::Result<_> = (0..task.connections).map(connect).collect();
        Ok(Self {
            names: task.names,
            streams: streams?,
        })
    }

    /// Fetches and digests a chunk. An error is a sentence that names the file.
    fn digest_all(&mut self, files: &[usize]) -> Result<Vec<Digest>, String> {
        let count = self.streams.len();
        for (place, &file) in files.iter().take(count).enumerate() {
            self.request(place, file)?;
        }
        let mut digests = Vec::with_capacity(files.len());
        for (turn, &file) in files.iter().enumerate() {
            let place = turn % count;
            let body = threads::receive(&mut self.streams[place])
                .map_err(|error| self.failed(file, &error))?;
            if let Some(&next) = files.get(turn + count) {
                self.request(place, next)?;
            }
            digests.push(Digest::of(&body));
        }
        Ok(digests)
    }

    fn request(&mut self, place: usize, file: usize) -> Result<(), String> {
        self.streams[place]
            .write_all(&protocol::request(file))
            .map_err(|error| self.failed(file, &error))
    }

    fn failed(&self, file: usize, error: &io::Error) -> String {
        let name = self.names.get(file).map_or("a file", String::as_str);
        format!("cannot fetch {name}: {error}")
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
