//! What the tests of sockets share: connected pairs, bytes that show where they come from, a source of chance.
#![allow(
    dead_code,
    reason = "every test file is a program of its own and uses some of this"
)]

use gristmill::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use gristmill::net::{TcpListener, TcpStream};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Makes connections that all arrive at one port.
pub(crate) struct Pairs {
    listener: TcpListener,
    address: SocketAddr,
}

impl Pairs {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        Self { listener, address }
    }

    /// Two ends of a connection.
    pub(crate) async fn next(&self) -> (TcpStream, TcpStream) {
        let one = TcpStream::connect(self.address)
            .await
            .expect("a connection");
        let (other, _) = self.listener.accept().await.expect("a connection");
        (one, other)
    }
}

/// Two ends of a TCP connection.
pub(crate) async fn tcp_pair() -> (TcpStream, TcpStream) {
    Pairs::new().await.next().await
}

/// Lets the operating system forget the connection when this end is dropped.
///
/// Otherwise it keeps the ports of each for a minute, and tests that make thousands run out of them.
pub(crate) fn forget_when_dropped(stream: &TcpStream) {
    stream.set_linger(Some(Duration::ZERO)).expect("an option");
}

/// Bytes that differ from place to place, with a period that no buffer has.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// Sends back what comes, until the end.
pub(crate) async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> std::io::Result<()> {
    let mut buf = [0; 4096];
    loop {
        match stream.read(&mut buf).await? {
            0 => return stream.close().await,
            count => stream.write_all(&buf[..count]).await?,
        }
    }
}

/// A path in the temporary folder that no other test uses.
pub(crate) fn fresh_path() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("gristmill-test-{}-{number}", std::process::id()))
}

/// The same course of chance in every run.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}
