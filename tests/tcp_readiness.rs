//! Waiting for readiness and attempts without waiting: they agree, and no waiter is forgotten.

mod common;
mod wire;

use common::{CountingWaker, eventually, on_each};
use gristmill::io::{AsyncReadExt, AsyncWriteExt, Interest};
use gristmill::net::{TcpSocket, TcpStream};
use gristmill::task::yield_now;
use std::io::ErrorKind;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wire::{pattern, tcp_pair};

/// Two ends of a connection with small buffers.
async fn narrow_pair() -> (TcpStream, TcpStream) {
    let [listener, client] = [(); 2].map(|()| {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(32 * 1024).expect("an option");
        socket.set_send_buffer_size(32 * 1024).expect("an option");
        socket
    });
    listener
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let listener = listener.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let one = client.connect(address).await.expect("a connection");
    let (other, _) = listener.accept().await.expect("a connection");
    (one, other)
}

#[test]
fn a_slow_reader_holds_the_writer_back_and_gets_everything() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, other) = narrow_pair().await;
            let mut written = 0;
            let sent = pattern(4 << 20);
            let full = loop {
                match other.try_write(&sent[written..]) {
                    Ok(count) => written += count,
                    Err(error) => break error,
                }
            };
            assert_eq!(full.kind(), ErrorKind::WouldBlock);
            assert!(written < sent.len(), "the buffers hold a part only");
            let rest = sent[written..].to_vec();
            let writing = gristmill::spawn(async move { (&other).write_all(&rest).await });
            yield_now().await;
            assert!(!writing.is_finished());
            let mut received = vec![0; sent.len()];
            for chunk in received.chunks_mut(50_000) {
                one.read_exact(chunk).await.expect("a read");
                yield_now().await;
            }
            assert!(received == sent);
            writing.await.expect("no panic").expect("all writes");
        });
    });
}

#[test]
fn peeking_takes_nothing() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, mut other) = tcp_pair().await;
            one.write_all(b"here").await.expect("a write");
            let mut buf = [0; 4];
            while other.peek(&mut buf).await.expect("a peek") < 4 {}
            assert_eq!(&buf, b"here");
            let mut buf = [0; 4];
            other.read_exact(&mut buf).await.expect("a read");
            assert_eq!(&buf, b"here");
            one.write_all(b"!").await.expect("a write");
            let count = std::future::poll_fn(|cx| other.poll_peek(cx, &mut buf)).await;
            assert_eq!(count.expect("a peek"), 1);
        });
    });
}

#[test]
fn an_attempt_to_read_nothing_would_block_until_something_comes() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, other) = tcp_pair().await;
            let mut buf = [0; 16];
            let error = other.try_read(&mut buf).expect_err("nothing there");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            one.write_all(b"now").await.expect("a write");
            other.readable().await.expect("readable");
            assert_eq!(other.try_read(&mut buf).expect("a read"), 3);
            let ready = other.ready(Interest::READABLE | Interest::WRITABLE).await;
            assert!(ready.expect("ready").is_writable());
        });
    });
}

/// Attempts to read until the stream no longer seems readable. One attempt need not be enough: an event that comes beside
/// it, as the first one after a registration, makes its outcome out of date, whatever the event is about.
fn exhaust(stream: &TcpStream) {
    eventually("nothing to read", || {
        stream.try_read(&mut [0; 1]).expect_err("nothing there");
        let mut cx = Context::from_waker(Waker::noop());
        pin!(stream.readable()).poll(&mut cx).is_pending()
    });
}

#[test]
fn two_waiters_for_one_socket_are_both_woken() {
    on_each(|runtime| {
        let (mut one, other) = runtime.block_on(tcp_pair());
        exhaust(&other);
        let wakers = [CountingWaker::new(), CountingWaker::new()];
        let mut waits = wakers.each_ref().map(|_| Box::pin(other.readable()));
        for (waker, wait) in wakers.iter().zip(&mut waits) {
            assert!(waker.poll(wait).is_pending());
        }
        runtime.block_on(one.write_all(b"x")).expect("a write");
        // On a current-thread runtime events are delivered while it runs.
        runtime.block_on(other.readable()).expect("readable");
        eventually("both wake", || wakers.iter().all(|waker| waker.wakes() > 0));
        for (waker, wait) in wakers.iter().zip(&mut waits) {
            assert!(matches!(waker.poll(wait), Poll::Ready(Ok(()))));
        }
    });
}

#[test]
fn a_cancelled_wait_takes_no_readiness_along() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, other) = tcp_pair().await;
            exhaust(&other);
            {
                let mut wait = pin!(other.readable());
                let mut cx = Context::from_waker(Waker::noop());
                assert!(wait.as_mut().poll(&mut cx).is_pending());
                one.write_all(b"x").await.expect("a write");
            }
            other.readable().await.expect("readable");
            assert_eq!(other.try_read(&mut [0; 4]).expect("a read"), 1);
        });
    });
}

#[test]
fn attempts_of_ones_own_wait_like_others() {
    use std::io::Read;
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, other) = tcp_pair().await;
            let socket = other.into_std().expect("a socket");
            let view = socket.try_clone().expect("a clone");
            let other = gristmill::net::TcpStream::from_std(socket).expect("a stream");
            let reading = gristmill::spawn(async move {
                let mut buf = [0; 16];
                other
                    .async_io(Interest::READABLE, || (&view).read(&mut buf))
                    .await
            });
            yield_now().await;
            one.write_all(b"three").await.expect("a write");
            assert_eq!(reading.await.expect("no panic").expect("a read"), 5);
        });
    });
}
