//! An echo server and its client by callbacks, as in asyncio's pages on transports and protocols.

use gristmill::net::TcpListener;
use gristmill::net::protocol::{Protocol, Transport, connect, serve};
use std::io;

/// Answers with what it receives, and hangs up.
#[derive(Default)]
struct EchoServer {
    transport: Option<Transport>,
}

impl Protocol for EchoServer {
    fn connection_made(&mut self, transport: Transport) {
        println!("server: connection from {}", transport.peer_addr());
        self.transport = Some(transport);
    }

    fn data_received(&mut self, data: &[u8]) {
        println!("server: received {:?}", String::from_utf8_lossy(data));
        if let Some(transport) = &self.transport {
            transport.write(data);
            transport.close();
        }
    }
}

/// Sends a message, and keeps the answer.
struct EchoClient {
    message: &'static str,
    answer: Vec<u8>,
}

impl Protocol for EchoClient {
    fn connection_made(&mut self, transport: Transport) {
        transport.write(self.message.as_bytes());
    }

    fn data_received(&mut self, data: &[u8]) {
        self.answer.extend_from_slice(data);
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        match error {
            None => println!("client: the server closed the connection"),
            Some(error) => println!("client: the connection is lost: {error}"),
        }
    }
}

#[gristmill::main]
async fn main() -> io::Result<()> {
    let server = serve(TcpListener::bind("127.0.0.1:0").await?, EchoServer::default);
    let address = server.local_addr().ip().expect("a TCP listener has one");
    let client = EchoClient {
        message: "Hello World!",
        answer: Vec::new(),
    };

    let (_transport, ended) = connect(address, client).await?;
    // The handle gives the protocol back, where asyncio's example waits for a future of its own.
    let client = ended.await?;
    assert_eq!(client.answer, client.message.as_bytes());
    println!("client: {:?}", String::from_utf8_lossy(&client.answer));

    server.close();
    server.wait_closed().await;
    Ok(())
}
