//! A TCP server that sends back what it receives: one task per connection.
//!
//! ```text
//! cargo run --example echo_server -- 127.0.0.1:7000    serves until it is stopped
//! cargo run --example echo_server                      serves itself once, and ends
//! ```

use std::io;

use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::time::{Duration, sleep};

#[gristmill::main]
async fn main() -> io::Result<()> {
    match std::env::args().nth(1) {
        Some(address) => {
            let listener = TcpListener::bind(address).await?;
            println!("listening on {}", listener.local_addr()?);
            serve(listener).await;
            Ok(())
        }
        None => try_it().await,
    }
}

/// Accepts connections for good. An error, such as too many open descriptors, does not end the server: what arrives meanwhile
/// waits in the operating system's queue.
async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => drop(gristmill::spawn(async move {
                if let Err(error) = echo(stream).await {
                    eprintln!("{peer}: {error}");
                }
            })),
            Err(error) => {
                eprintln!("no connection for now: {error}");
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Sends back what comes until the peer has no more to say.
async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

/// Starts the server on a free port, and is its only client.
async fn try_it() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut stream = TcpStream::connect(listener.local_addr()?).await?;
    drop(gristmill::spawn(serve(listener)));
    stream.write_all(b"is anybody there?").await?;
    let mut answer = [0; 17];
    stream.read_exact(&mut answer).await?;
    println!("echo: {}", String::from_utf8_lossy(&answer));
    Ok(())
}
