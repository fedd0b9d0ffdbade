//! Worker processes: what people reach for where one process cannot use all processors.
//!
//! As many processes as there are workers; a thread of this process talks to each. Requests wait in the pipe, so that a worker
//! has the next one when it is done with one.

use std::env;
use std::hint::black_box;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use futures_lite::future::block_on;

use super::threads;
use super::worker::{Request, Trade, number};
use crate::measure::{Effort, Phase, Sample, Window, children, repeat};
use crate::peer::workers;
use crate::scenarios::cpu::{self, PIECES, with_ideal};
use crate::scenarios::mixed;

/// Pieces that go to a process at once.
const CHUNK: u64 = 16;
/// Chunks that a process has before it, the one under way included.
const AHEAD: usize = 2;

/// The pipes of a process.
struct Pipes {
    requests: ChildStdin,
    answers: ChildStdout,
}

/// The servers are processes; a connection has a thread in one of them, and its client has one here.
pub(crate) fn echo(effort: Effort, connections: usize) -> Sample {
    let mut servers: Vec<_> = (0..workers()).map(|_| start(Trade::Echo)).collect();
    let addresses: Vec<_> = servers
        .iter_mut()
        .map(|pipes| address(pipes).expect("the process serves"))
        .collect();
    threads::echo_to(&addresses, effort, connections)
}

pub(crate) fn fanout(effort: Effort) -> Sample {
    let mut pool: Vec<_> = (0..workers()).map(|_| start(Trade::Jobs)).collect();
    let batch = || {
        let next = AtomicU64::new(0);
        thread::scope(|scope| {
            for pipes in &mut pool {
                scope.spawn(|| deal(pipes, &next).expect("the process works"));
            }
        });
        std::future::ready(())
    };
    with_ideal(block_on(repeat(effort, PIECES, batch)))
}

pub(crate) fn mixed(effort: Effort) -> Sample {
    let window = Window::new();
    let clients = threads::paced_clients(&window);
    let feeders: Vec<_> = (0..workers())
        .map(|_| {
            let (window, pipes) = (Arc::clone(&window), start(Trade::Jobs));
            thread::spawn(move || feed(pipes, &window).expect("the process works"))
        })
        .collect();
    let timing = mixed::start(&window, effort);
    let times = threads::gather(clients);
    let done = feeders
        .into_iter()
        .map(|feeder| feeder.join().expect("the process works"))
        .sum();
    mixed::sample(timing, times, done)
}

/// Starts this program again.
fn start(trade: Trade) -> Pipes {
    let program = env::current_exe().expect("the system tells");
    let mut child = Command::new(program)
        .args(["worker", trade.name()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process starts");
    let pipes = Pipes {
        requests: child.stdin.take().expect("it is piped"),
        answers: child.stdout.take().expect("it is piped"),
    };
    children::adopt(child);
    pipes
}

/// Where the process listens.
fn address(pipes: &mut Pipes) -> io::Result<SocketAddr> {
    let mut line = String::new();
    BufReader::new(&mut pipes.answers).read_line(&mut line)?;
    let port: u16 = line.trim().parse().map_err(io::Error::other)?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}

/// Has the process do chunks from `next` on until there are none.
fn deal(pipes: &mut Pipes, next: &AtomicU64) -> io::Result<()> {
    let (pieces, mut under_way) = (PIECES as u64, 0);
    loop {
        while under_way < AHEAD {
            // ORDERING: Relaxed; nothing but the number goes with it.
            let first = next.fetch_add(CHUNK, Relaxed);
            if first >= pieces {
                break;
            }
            let request = Request {
                first,
                count: CHUNK.min(pieces - first),
                steps: cpu::STEPS,
            };
            request.send(&mut pipes.requests)?;
            under_way += 1;
        }
        if under_way == 0 {
            return Ok(());
        }
        black_box(answer(pipes)?);
        under_way -= 1;
    }
}

/// Has the process do the jobs of its share of the loops until the window closes; how many count.
fn feed(mut pipes: Pipes, window: &Window) -> io::Result<u64> {
    let request = Request {
        first: 1,
        count: 1,
        steps: mixed::STEPS,
    };
    for _ in 0..mixed::LOOPS / workers() {
        request.send(&mut pipes.requests)?;
    }
    let mut done = 0;
    loop {
        black_box(answer(&mut pipes)?);
        match window.phase() {
            Phase::Warming => {}
            Phase::Counting => done += 1,
            Phase::Over => return Ok(done),
        }
        request.send(&mut pipes.requests)?;
    }
}

fn answer(pipes: &mut Pipes) -> io::Result<u64> {
    number(&mut pipes.answers)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
