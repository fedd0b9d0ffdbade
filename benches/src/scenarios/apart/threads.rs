//! The standard library's threads: one for everything that waits, and the system shares the processors.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use socket2::SockRef;

use crate::measure::{Effort, Phase, Sample, Window, repeat};
use crate::peer::workers;
use crate::scenarios::cpu::{PIECES, piece, with_ideal};
use crate::scenarios::tcp::{CONNECTORS, MESSAGE};
use crate::scenarios::{idle, mixed};

/// Enough for a thread that copies bytes; thousands of them have to fit.
const STACK: usize = 64 * 1024;

pub(crate) fn echo(effort: Effort, connections: usize) -> Sample {
    let address = serve().expect("the server starts");
    echo_to(&[address], effort, connections)
}

/// Clients of the servers at `addresses`, which take turns.
pub(super) fn echo_to(addresses: &[SocketAddr], effort: Effort, connections: usize) -> Sample {
    let window = Window::new();
    let streams = connected(addresses, connections).expect("the servers accept");
    // Those that send would hold up the start of the others.
    let start_line = Arc::new(Barrier::new(connections + 1));
    let clients: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let (window, start_line) = (Arc::clone(&window), Arc::clone(&start_line));
            start(move || {
                start_line.wait();
                exchange(stream, &window)
            })
        })
        .collect();
    start_line.wait();
    let timing = window.start(effort);
    timing.finish(gather(clients))
}

pub(crate) fn connect_storm(effort: Effort) -> Sample {
    let address = serve().expect("the server starts");
    let window = Window::new();
    let clients: Vec<_> = (0..CONNECTORS)
        .map(|_| {
            let window = Arc::clone(&window);
            start(move || reconnect(address, &window))
        })
        .collect();
    let timing = window.start(effort);
    timing.finish(gather(clients))
}

pub(crate) fn idle(effort: Effort) -> Sample {
    let address = serve().expect("the server starts");
    let streams = connected(&[address], idle::CONNECTIONS).expect("the server accepts");
    for mut stream in streams {
        // The server does not speak first, so this ends with the process.
        start(move || stream.read(&mut [0]));
    }
    idle::watch(effort)
}

pub(crate) fn mixed(effort: Effort) -> Sample {
    let window = Window::new();
    let clients = paced_clients(&window);
    let loops: Vec<_> = (0..mixed::LOOPS)
        .map(|_| {
            let window = Arc::clone(&window);
            start(move || count_jobs(&window))
        })
        .collect();
    let timing = mixed::start(&window, effort);
    let times = gather(clients);
    let done = loops
        .into_iter()
        .map(|counted| counted.join().expect("arithmetic does not fail"))
        .sum();
    mixed::sample(timing, times, done)
}

/// A pool of as many threads as there are workers, which take pieces from a channel.
pub(crate) fn fanout(effort: Effort) -> Sample {
    let (to_pool, pieces) = mpsc::channel::<usize>();
    let (told, results) = mpsc::channel();
    let pieces = Arc::new(Mutex::new(pieces));
    for _ in 0..workers() {
        let (pieces, told) = (Arc::clone(&pieces), told.clone());
        thread::spawn(move || {
            let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).recv();
            while let Ok(n) = next() {
                if told.send(piece(n)).is_err() {
                    return;
                }
            }
        });
    }
    let batch = || {
        for n in 0..PIECES {
            to_pool.send(n).expect("the pool listens");
        }
        for result in results.iter().take(PIECES) {
            black_box(result);
        }
        std::future::ready(())
    };
    with_ideal(block_on(repeat(effort, PIECES, batch)))
}

/// Starts a server that sends back what it gets, a thread a connection.
pub(super) fn serve() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    start(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("connections come in");
            // Clients that connect over and over end in a reset.
            start(move || send_back(stream));
        }
    });
    Ok(address)
}

/// Clients that send at a pace to a server of this process.
pub(super) fn paced_clients(window: &Arc<Window>) -> Vec<thread::JoinHandle<io::Result<Vec<f64>>>> {
    let address = serve().expect("the server starts");
    let streams = connected(&[address], mixed::CLIENTS).expect("the server accepts");
    streams
        .into_iter()
        .enumerate()
        .map(|(n, stream)| {
            let window = Arc::clone(window);
            start(move || paced(stream, n, &window))
        })
        .collect()
}

/// The times of all clients.
pub(super) fn gather(clients: Vec<thread::JoinHandle<io::Result<Vec<f64>>>>) -> Vec<f64> {
    let times = |client: thread::JoinHandle<io::Result<Vec<f64>>>| {
        let times = client.join().expect("no client fails");
        times.expect("no connection fails")
    };
    clients.into_iter().flat_map(times).collect()
}

fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    let thread = thread::Builder::new().stack_size(STACK).spawn(work);
    thread.expect("a thread starts")
}

fn connected(addresses: &[SocketAddr], connections: usize) -> io::Result<Vec<TcpStream>> {
    let connect = |&address: &SocketAddr| {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    addresses
        .iter()
        .cycle()
        .take(connections)
        .map(connect)
        .collect()
}

fn send_back(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; MESSAGE];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length])?,
        }
    }
}

fn round_trip(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    stream.write_all(message)?;
    stream.read_exact(&mut [0; MESSAGE][..message.len()])
}

fn exchange(mut stream: TcpStream, window: &Window) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut from = Instant::now();
    loop {
        round_trip(&mut stream, &[7; MESSAGE])?;
        let to = Instant::now();
        if !window.note(&mut times, to - from) {
            return Ok(times);
        }
        from = to;
    }
}

fn reconnect(address: SocketAddr, window: &Window) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut from = Instant::now();
    loop {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        round_trip(&mut stream, &[7])?;
        // A reset, as with the runtimes.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        drop(stream);
        let to = Instant::now();
        if !window.note(&mut times, to - from) {
            return Ok(times);
        }
        from = to;
    }
}

fn paced(mut stream: TcpStream, n: usize, window: &Window) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    thread::sleep(mixed::offset(n));
    loop {
        let from = Instant::now();
        round_trip(&mut stream, &[7; MESSAGE])?;
        if !window.note(&mut times, from.elapsed()) {
            return Ok(times);
        }
        thread::sleep(mixed::PACE);
    }
}

fn count_jobs(window: &Window) -> u64 {
    let mut done = 0;
    loop {
        black_box(mixed::job());
        match window.phase() {
            Phase::Warming => {}
            Phase::Counting => done += 1,
            Phase::Over => return done,
        }
    }
}
