//! monoio: a runtime on io_uring for each worker.
//!
//! A task stays where it was spawned and buffers go into the kernel and back, so neither fits the trait.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use monoio::io::{AsyncReadRent, AsyncReadRentExt, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{IoUringDriver, RuntimeBuilder};

use crate::measure::{Effort, Sample, Window};
use crate::scenarios::per_core;
use crate::scenarios::tcp::MESSAGE;

pub(crate) fn echo(effort: Effort, connections: usize) -> Sample {
    per_core::echo(effort, connections, |share, window, start_line| {
        RuntimeBuilder::<IoUringDriver>::new()
            .build()
            .expect("io_uring is usable")
            .block_on(async {
                let streams = connected(share).await.expect("the server accepts");
                start_line.wait();
                let clients: Vec<_> = streams
                    .into_iter()
                    .map(|stream| monoio::spawn(exchange(stream, Arc::clone(window))))
                    .collect();
                let mut times = Vec::new();
                for client in clients {
                    times.extend(client.await.expect("no connection fails"));
                }
                times
            })
    })
}

/// Connections to a server that sends back what it gets, a task a connection.
async fn connected(connections: usize) -> io::Result<Vec<TcpStream>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    monoio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("connections come in");
            monoio::spawn(send_back(stream));
        }
    });
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        let stream = TcpStream::connect_addr(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    Ok(streams)
}

async fn send_back(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(MESSAGE);
    loop {
        let (read, filled) = stream.read(buffer).await;
        if read? == 0 {
            return Ok(());
        }
        let (written, filled) = stream.write_all(filled).await;
        written?;
        buffer = filled;
    }
}

/// Messages over one connection until the window closes; the times of those that count, in ns.
async fn exchange(mut stream: TcpStream, window: Arc<Window>) -> io::Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut buffer = vec![7; MESSAGE];
    let mut from = Instant::now();
    loop {
        let (written, message) = stream.write_all(buffer).await;
        written?;
        let (read, answer) = stream.read_exact(message).await;
        read?;
        buffer = answer;
        let to = Instant::now();
        if !window.note(&mut times, to - from) {
            return Ok(times);
        }
        from = to;
    }
}
