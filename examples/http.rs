//! An HTTP server and its client, both of hyper, on one runtime.
//!
//! ```text
//! cargo run --example http --features hyper
//! ```

use gristmill::hyper::{HyperIo, HyperTimer};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::stream::StreamExt;
use gristmill::time::{Duration, timeout};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, client, server};
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;

#[gristmill::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = gristmill::spawn(serve(listener));

    let body = timeout(Duration::from_secs(10), get(address, "/guests")).await??;
    println!("{}", String::from_utf8_lossy(&body));

    server.abort();
    Ok(())
}

/// Serves every connection in a task of its own.
async fn serve(listener: TcpListener) {
    let mut incoming = listener.incoming();
    while let Some(connection) = incoming.next().await {
        let stream = match connection {
            Ok(stream) => stream,
            // Such as too many open descriptors. The stream pauses after an error, and connections wait meanwhile.
            Err(error) => {
                eprintln!("no connection for now: {error}");
                continue;
            }
        };
        let connection = server::conn::http1::Builder::new()
            .timer(HyperTimer)
            .header_read_timeout(Duration::from_secs(5))
            .serve_connection(HyperIo::new(stream), service_fn(answer));
        drop(gristmill::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("a connection failed: {error}");
            }
        }));
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = format!("good day to {}", request.uri().path().trim_matches('/'));
    Ok(Response::new(Full::from(text)))
}

/// Asks for a page, and gives its body.
async fn get(address: SocketAddr, path: &str) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut requests, connection) = client::conn::http1::handshake(HyperIo::new(stream)).await?;
    drop(gristmill::spawn(connection));
    let request = Request::get(path)
        .header("host", address.to_string())
        .body(Empty::<Bytes>::new())?;
    let response = requests.send_request(request).await?;
    println!("{}", response.status());
    Ok(response.into_body().collect().await?.to_bytes())
}
