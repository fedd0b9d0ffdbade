//! TCP over the loopback interface; both ends live in the runtime.
//!
//! Loops are closed: a connection has one message under way. Times of single operations are taken by the client, from the end
//! of the one before, so that the clock is read once an operation.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::per_core;
use crate::measure::{Effort, Sample, Window};
use crate::peer::Peer;

/// Bytes of a message.
pub(crate) const MESSAGE: usize = 64;
/// Clients that connect over and over.
pub(super) const CONNECTORS: usize = 64;

pub(crate) fn echo_1<P: Peer>(effort: Effort) -> Sample {
    echo::<P>(effort, 1)
}

pub(crate) fn echo_64<P: Peer>(effort: Effort) -> Sample {
    echo::<P>(effort, 64)
}

pub(crate) fn echo_1000<P: Peer>(effort: Effort) -> Sample {
    echo::<P>(effort, 1_000)
}

pub(crate) fn echo<P: Peer>(effort: Effort, connections: usize) -> Sample {
    P::run(async {
        let window = Window::new();
        let clients = exchange_all::<P>(connected::<P>(connections).await, &window);
        finish::<P>(effort, &window, clients).await
    })
}

/// The same where a runtime is one thread: as many runtimes as workers, the connections dealt out among them, both ends of a
/// connection in the same.
pub(crate) fn echo_per_core<P: Peer>(effort: Effort, connections: usize) -> Sample {
    per_core::echo(effort, connections, |share, window, start_line| {
        P::run(async {
            let streams = connected::<P>(share).await;
            start_line.wait();
            let mut times = Vec::new();
            for client in exchange_all::<P>(streams, window) {
                times.extend(P::join(client).await.expect("no connection fails"));
            }
            times
        })
    })
}

/// Connections to a server that sends back what it gets. All are there before the first one sends, since those that send would
/// hold up the others.
pub(crate) async fn connected<P: Peer>(connections: usize) -> Vec<P::Stream> {
    let address = serve::<P>().await.expect("the server starts");
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        streams.push(connect::<P>(address).await.expect("the server accepts"));
    }
    streams
}

/// A connection that sends each message at once.
pub(crate) async fn connect<P: Peer>(address: SocketAddr) -> io::Result<P::Stream> {
    let stream = P::connect(address).await?;
    P::set_nodelay(&stream)?;
    Ok(stream)
}

/// Sets a client on each of `streams`.
fn exchange_all<P: Peer>(
    streams: Vec<P::Stream>,
    window: &Arc<Window>,
) -> Vec<P::Handle<io::Result<Vec<f64>>>> {
    let client = |stream| P::spawn(exchange::<P>(stream, Arc::clone(window)));
    streams.into_iter().map(client).collect()
}

pub(crate) fn connect_storm<P: Peer>(effort: Effort) -> Sample {
    P::run(async {
        let address = serve::<P>().await.expect("the server starts");
        let window = Window::new();
        let clients =
            (0..CONNECTORS).map(|_| P::spawn(reconnect::<P>(address, Arc::clone(&window))));
        let clients = clients.collect();
        finish::<P>(effort, &window, clients).await
    })
}

/// Times clients that are under way, and gathers what they counted.
async fn finish<P: Peer>(
    effort: Effort,
    window: &Arc<Window>,
    clients: Vec<P::Handle<io::Result<Vec<f64>>>>,
) -> Sample {
    let timing = window.start(effort);
    let mut times = Vec::new();
    for client in clients {
        times.extend(P::join(client).await.expect("no connection fails"));
    }
    timing.finish(times)
}

/// Starts a server that sends back what it gets, a task a connection.
async fn serve<P: Peer>() -> io::Result<SocketAddr> {
    let (listener, address) = P::listen().await?;
    P::spawn_detached(async move {
        loop {
            let stream = P::accept(&listener).await.expect("connections come in");
            P::spawn_detached(async move {
                // Clients that connect over and over end in a reset.
                let _ = send_back::<P>(stream).await;
            });
        }
    });
    Ok(address)
}

pub(crate) async fn send_back<P: Peer>(mut stream: P::Stream) -> io::Result<()> {
    P::set_nodelay(&stream)?;
    let mut buffer = [0; MESSAGE];
    loop {
        match P::read(&mut stream, &mut buffer).await? {
            0 => return Ok(()),
            length => P::write_all(&mut stream, &buffer[..length]).await?,
        }
    }
}

/// Messages over one connection until the window closes; the times of those that count, in ns.
async fn exchange<P: Peer>(mut stream: P::Stream, window: Arc<Window>) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut from = Instant::now();
    loop {
        round_trip::<P>(&mut stream, &[7; MESSAGE]).await?;
        let to = Instant::now();
        if !window.note(&mut times, to - from) {
            return Ok(times);
        }
        from = to;
    }
}

/// Connections, one after the other, until the window closes; the times of those that count, in ns.
async fn reconnect<P: Peer>(address: SocketAddr, window: Arc<Window>) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut from = Instant::now();
    loop {
        let mut stream = connect::<P>(address).await?;
        round_trip::<P>(&mut stream, &[7]).await?;
        // A reset, since ports that linger after an orderly close run out within seconds, for whoever comes next too.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        drop(stream);
        let to = Instant::now();
        if !window.note(&mut times, to - from) {
            return Ok(times);
        }
        from = to;
    }
}

/// Sends `message` and reads as many bytes back.
pub(crate) async fn round_trip<P: Peer>(stream: &mut P::Stream, message: &[u8]) -> io::Result<()> {
    P::write_all(stream, message).await?;
    let mut buffer = [0; MESSAGE];
    let mut left = message.len();
    while left > 0 {
        match P::read(stream, &mut buffer[..left]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => left -= length,
        }
    }
    Ok(())
}
