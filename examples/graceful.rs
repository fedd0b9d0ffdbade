//! A server that ends in order when it is asked to, by Ctrl-C or `kill`: it takes no new connections, asks those that there
//! are to come to an end, waits for them, and tells what came of it.
//!
//! ```text
//! cargo run --example graceful -- 127.0.0.1:7000    serves until a Ctrl-C; a second one ends it at once
//! cargo run --example graceful                      serves itself, and sends itself the signal
//! ```

use gristmill::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::process::Command;
use gristmill::signal::Shutdown;
use gristmill::stream::StreamExt;
use gristmill::sync::CancellationToken;
use gristmill::time::Duration;
use std::io::Result;
use std::net::SocketAddr;

#[gristmill::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).await?;
    // From here on the signals are heard.
    let shutdown = Shutdown::new()?;
    let itself = match address {
        Some(_) => None,
        None => Some(gristmill::spawn(visit(listener.local_addr()?))),
    };
    println!("{}", serve(listener, shutdown).await?);
    match itself {
        Some(visitor) => visitor.await?,
        None => Ok(()),
    }
}

/// Serves until the request to end; tells how the connections ended.
async fn serve(listener: TcpListener, mut shutdown: Shutdown) -> Result<gristmill::signal::Report> {
    let mut incoming = listener.incoming();
    while let Some(Some(connection)) = shutdown.unless_requested(incoming.next()).await {
        let stream = match connection {
            Ok(stream) => stream,
            // Such as too many open descriptors. The stream pauses after an error, and connections wait meanwhile.
            Err(error) => {
                eprintln!("no connection for now: {error}");
                continue;
            }
        };
        let token = shutdown.token().clone();
        shutdown.spawn(async move {
            // A peer that breaks off is no concern of the others.
            let _ = talk(stream, token).await;
        });
    }
    // Whoever comes now is refused, instead of waiting for an answer.
    drop(listener);
    Ok(shutdown.finish(Duration::from_secs(5)).await)
}

/// Answers each line, and says goodbye when the server ends.
async fn talk(stream: TcpStream, token: CancellationToken) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    while let Some(read) = token.run_until_cancelled(reader.read_line(&mut line)).await {
        if read? == 0 {
            return Ok(());
        }
        writer
            .write_all(format!("you said: {line}").as_bytes())
            .await?;
        line.clear();
    }
    writer.write_all(b"the server ends, goodbye\n").await
}

/// Talks to the server, then has the operating system ask this process to end.
async fn visit(address: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"hello\n").await?;
    let mut answer = [0; 16];
    stream.read_exact(&mut answer).await?;
    print!("{}", String::from_utf8_lossy(&answer));
    Command::new("kill")
        .arg(std::process::id().to_string())
        .status()
        .await?;
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await?;
    print!("{rest}");
    Ok(())
}
