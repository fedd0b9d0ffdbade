//! A relay between two streams carries both ways, and ends each way by itself.

mod common;
mod wire;

use common::on_each;
use gristmill::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, copy_bidirectional,
};
use gristmill::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use gristmill::net::{TcpListener, TcpStream, UnixStream};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use wire::{echo, pattern, tcp_pair};

/// A stream that holds written bytes back until it is flushed.
struct Buffered {
    reader: OwnedReadHalf,
    writer: BufWriter<OwnedWriteHalf>,
}

impl AsyncRead for Buffered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.reader).poll_read(cx, buf)
    }
}

impl AsyncWrite for Buffered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_close(cx)
    }
}

#[test]
fn a_proxy_carries_everything_both_ways() {
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            let (mut near, server) = tcp_pair().await;
            let server = gristmill::spawn(echo(server));
            let proxy = gristmill::spawn(async move {
                let (mut client, _) = listener.accept().await.expect("a connection");
                copy_bidirectional(&mut client, &mut near).await
            });
            let client = TcpStream::connect(address).await.expect("a connection");
            let (mut reader, mut writer) = client.into_split();
            let writing = gristmill::spawn(async move {
                writer.write_all(&pattern(1 << 20)).await.expect("a write");
            });
            let mut received = Vec::new();
            reader.read_to_end(&mut received).await.expect("a read");
            assert!(received == pattern(1 << 20));
            let counts = proxy.await.expect("no panic").expect("both ways");
            assert_eq!(counts, (1 << 20, 1 << 20));
            writing.await.expect("no panic");
            server.await.expect("no panic").expect("an echo");
        });
    });
}

#[test]
fn one_way_ends_and_the_other_goes_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut left, mut near_left) = UnixStream::pair().expect("a pair");
            let (mut right, mut near_right) = UnixStream::pair().expect("a pair");
            let relay = gristmill::spawn(async move {
                copy_bidirectional(&mut near_left, &mut near_right).await
            });
            left.write_all(b"question").await.expect("a write");
            left.close().await.expect("a half close");
            let mut question = String::new();
            right.read_to_string(&mut question).await.expect("the end");
            right.write_all(b"an answer").await.expect("a write");
            drop(right);
            let mut answer = String::new();
            left.read_to_string(&mut answer).await.expect("the end");
            assert_eq!((&*question, &*answer), ("question", "an answer"));
            assert_eq!(relay.await.expect("no panic").expect("both ways"), (8, 9));
        });
    });
}

#[test]
fn bytes_held_back_in_a_buffer_go_on_when_nothing_follows() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut left, mut near_left) = UnixStream::pair().expect("a pair");
            let (mut right, near_right) = UnixStream::pair().expect("a pair");
            let relay = gristmill::spawn(async move {
                let (reader, writer) = near_right.into_split();
                let mut buffered = Buffered {
                    reader,
                    writer: BufWriter::new(writer),
                };
                copy_bidirectional(&mut near_left, &mut buffered).await
            });
            left.write_all(b"short").await.expect("a write");
            let mut received = [0; 5];
            right.read_exact(&mut received).await.expect("a read");
            assert_eq!(&received, b"short");
            relay.abort();
        });
    });
}

#[test]
fn an_error_of_either_stream_ends_the_relay() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (left, mut near_left) = tcp_pair().await;
            let (_right, mut near_right) = tcp_pair().await;
            let relay = gristmill::spawn(async move {
                copy_bidirectional(&mut near_left, &mut near_right).await
            });
            left.set_linger(Some(Duration::ZERO)).expect("an option");
            drop(left);
            let error = relay.await.expect("no panic").expect_err("a reset");
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        });
    });
}
