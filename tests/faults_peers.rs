//! Peers that reset, fall silent, or are slow: whoever waits hears of the end, and nobody else is held up.
//!
//! A reset while a protocol, a relay or a plain read waits is in `protocol_tcp`, `io_async_copy` and `tcp_end`.

mod common;
mod wire;

use common::{Count, Flavour, on_each, within};
use gristmill::io::{AsyncReadExt, AsyncWriteExt, copy};
use gristmill::net::protocol::{Protocol, Transport, serve};
use gristmill::net::{TcpListener, TcpSocket, TcpStream, UnixStream};
use gristmill::runtime::Runtime;
use gristmill::time::{Duration, sleep, timeout};
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::sync::Arc;
use wire::{Pairs, echo, forget_when_dropped, pattern, tcp_pair};

/// Ends the connection so that the other end hears of a reset, and not of an end.
fn reset(stream: TcpStream) {
    forget_when_dropped(&stream);
    drop(stream);
}

/// Whether an attempt failed because of a reset: the first one to be told says so, and for the others there is no peer any more.
fn is_over<T>(outcome: &io::Result<T>) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    outcome
        .as_ref()
        .is_err_and(|error| matches!(error.kind(), ConnectionReset | BrokenPipe | NotConnected))
}

/// Two ends with little room between them.
async fn narrow_pair() -> (TcpStream, TcpStream) {
    let listening = TcpSocket::new_v4().expect("a socket");
    listening.set_recv_buffer_size(4096).expect("an option");
    listening
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("free");
    let listener = listening.listen(16).expect("a listener");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_send_buffer_size(4096).expect("an option");
    let address = listener.local_addr().expect("an address");
    let one = socket.connect(address).await.expect("a connection");
    let (other, _) = listener.accept().await.expect("a connection");
    (one, other)
}

/// Far more than the operating system holds for a connection, however it is set up.
const PLENTY: usize = 16 << 20;

/// A connection whose other end is served as it should be.
struct Friend(TcpStream);

impl Friend {
    async fn new() -> Self {
        let (stream, other) = tcp_pair().await;
        drop(gristmill::spawn(echo(other)));
        Self(stream)
    }

    async fn exchange(&mut self) {
        self.0.write_all(b"how are you?").await.expect("a write");
        let mut answer = [0; 12];
        self.0.read_exact(&mut answer).await.expect("the echo");
        assert_eq!(&answer, b"how are you?");
    }
}

#[test]
fn a_reset_before_the_accept_is_of_that_connection_alone() {
    struct Greeter;

    impl Protocol for Greeter {
        fn connection_made(&mut self, transport: Transport) {
            transport.write(b"good day");
            transport.close();
        }
        fn data_received(&mut self, _: &[u8]) {}
    }

    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            let connect = || TcpStream::connect(address);
            for _ in 0..20 {
                reset(connect().await.expect("a connection"));
            }
            let mut last = connect().await.expect("a connection");
            let _server = serve(listener, || Greeter);
            let mut greeting = String::new();
            last.read_to_string(&mut greeting).await.expect("the end");
            assert_eq!(greeting, "good day");
        });
    });
}

#[test]
fn a_reset_is_read_after_the_accept() {
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            reset(TcpStream::connect(address).await.expect("a connection"));
            // Some systems have forgotten the connection by now, and others give it away as it is.
            match listener.accept().await {
                Ok((mut stream, _)) => assert!(is_over(&stream.read(&mut [0]).await)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionAborted),
            }
        });
    });
}

#[test]
fn a_reset_reaches_everyone_who_waits_for_the_stream() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (stream, peer) = narrow_pair().await;
            let stream = Arc::new(stream);
            let reading = Arc::clone(&stream);
            let reading = gristmill::spawn(async move { (&*reading).read(&mut [0; 16]).await });
            let peeking = Arc::clone(&stream);
            let peeking = gristmill::spawn(async move { peeking.peek(&mut [0; 16]).await });
            let ready = Arc::clone(&stream);
            let ready = gristmill::spawn(async move { ready.readable().await });
            let writing = Arc::clone(&stream);
            let writing =
                gristmill::spawn(async move { (&*writing).write_all(&vec![0; PLENTY]).await });
            // Something has come through, so the writer is at it.
            let mut one = [0];
            (&peer).read_exact(&mut one).await.expect("a byte");
            reset(peer);
            assert!(is_over(&writing.await.expect("no panic")));
            // Once one was told, the others find an end.
            let ended = |outcome: io::Result<usize>| is_over(&outcome) || outcome.ok() == Some(0);
            assert!(ended(reading.await.expect("no panic")));
            assert!(ended(peeking.await.expect("no panic")));
            ready.await.expect("no panic").expect("ready for the end");
        });
    });
}

#[test]
fn a_reset_ends_a_copy_whichever_end_it_comes_from() {
    on_each(|runtime| {
        runtime.block_on(async {
            for from_source in [true, false] {
                let (mut source, mut from) = narrow_pair().await;
                let (mut to, sink) = narrow_pair().await;
                let copying = gristmill::spawn(async move { copy(&mut from, &mut to).await });
                source.write_all(&[7; 100]).await.expect("a write");
                let mut first = [0; 100];
                (&sink).read_exact(&mut first).await.expect("a read");
                assert_eq!(first, [7; 100]);
                if from_source {
                    reset(source);
                    assert!(is_over(&copying.await.expect("no panic")));
                } else {
                    reset(sink);
                    // It is noticed with the next bytes.
                    let feeding =
                        gristmill::spawn(async move { source.write_all(&vec![7; PLENTY]).await });
                    assert!(is_over(&copying.await.expect("no panic")));
                    feeding.await.expect("no panic").expect_err("nobody reads");
                }
            }
        });
    });
}

#[test]
fn a_reset_while_bytes_are_under_way_and_the_way_is_being_ended_is_no_hang() {
    on_each(|runtime| {
        runtime.block_on(async {
            let pairs = Pairs::new().await;
            for round in 0..30 {
                let (mut stream, peer) = pairs.next().await;
                stream.write_all(&pattern(10_000)).await.expect("a write");
                let closing = gristmill::spawn(async move {
                    let closed = stream.close().await;
                    let read = stream.read(&mut [0; 16]).await;
                    (closed, read)
                });
                if round % 2 == 0 {
                    gristmill::task::yield_now().await;
                }
                reset(peer);
                let (closed, read) = closing.await.expect("no panic");
                assert!(closed.is_ok() || is_over(&closed), "{closed:?}");
                assert!(is_over(&read) || read.is_ok_and(|count| count == 0));
            }
        });
    });
}

#[test]
fn a_unix_peer_that_leaves_bytes_unread_resets() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, other) = UnixStream::pair().expect("a pair");
            one.write_all(b"unread").await.expect("a write");
            drop(other);
            let outcome = one.read(&mut [0; 16]).await;
            assert!(is_over(&outcome) || outcome.is_ok_and(|count| count == 0));
            let outcome = one.write_all(b"too late").await;
            assert_eq!(outcome.expect_err("no peer").kind(), ErrorKind::BrokenPipe);
        });
    });
}

#[test]
fn a_silent_peer_costs_a_timeout_and_nothing_is_lost_by_it() {
    within("silence", || {
        let paused = Flavour::CurrentThread.builder().start_paused(true);
        let runtime = paused.build().expect("a runtime");
        runtime.block_on(async {
            let (mut one, mut other) = tcp_pair().await;
            let mut text = [0; 4];
            for _ in 0..3 {
                let reading = timeout(Duration::from_secs(3600), one.read_exact(&mut text));
                assert!(reading.await.is_err(), "nobody has said anything");
            }
            other.write_all(b"back").await.expect("a write");
            one.read_exact(&mut text).await.expect("a read");
            assert_eq!(&text, b"back");
        });
    });
}

#[test]
fn a_peer_may_be_asked_for_a_sign_of_life() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (listener, socket) = (TcpSocket::new_v4(), TcpSocket::new_v4());
            let (listener, socket) = (listener.expect("a socket"), socket.expect("a socket"));
            let any = "127.0.0.1:0".parse().expect("an address");
            listener.bind(any).expect("free");
            let listener = listener.listen(1).expect("a listener");
            assert!(!socket.keepalive().expect("known"));
            socket.set_keepalive(true).expect("an option");
            let address = listener.local_addr().expect("an address");
            let stream = socket.connect(address).await.expect("a connection");
            // How often is an option of the socket, which other crates set.
            let option = socket2::SockRef::from(&stream);
            assert!(option.keepalive().expect("known"));
            let often = socket2::TcpKeepalive::new().with_time(Duration::from_secs(60));
            option.set_tcp_keepalive(&often).expect("an option");
        });
    });
}

#[test]
fn a_peer_that_ended_its_way_is_written_to_until_it_is_gone() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, mut other) = narrow_pair().await;
            other.shutdown(Shutdown::Write).expect("a half close");
            assert_eq!(one.read(&mut [0]).await.expect("the end"), 0);
            let sent = pattern(100_000);
            let writing = gristmill::spawn({
                let sent = sent.clone();
                async move {
                    one.write_all(&sent).await?;
                    one.close().await
                }
            });
            let mut received = Vec::new();
            other.read_to_end(&mut received).await.expect("the end");
            writing.await.expect("no panic").expect("all written");
            assert!(received == sent);
        });
    });
}

/// Waits until the writer has come to a stop, and tells how much it has got rid of.
async fn settles(written: &Count, friend: &mut Friend) -> usize {
    loop {
        let before = written.get();
        for _ in 0..10 {
            friend.exchange().await;
        }
        if before > 0 && written.get() == before {
            return before;
        }
    }
}

async fn write_counting(mut stream: TcpStream, chunk: &[u8], written: Count) -> io::Result<()> {
    loop {
        stream.write_all(chunk).await?;
        written.add();
    }
}

#[test]
fn readers_that_do_not_read_stop_their_own_writers_and_nobody_else() {
    const CHUNK: usize = 1024;
    on_each(|runtime| {
        runtime.block_on(async {
            let mut friend = Friend::new().await;
            let mut stuck = Vec::new();
            for _ in 0..20 {
                let (one, other) = narrow_pair().await;
                let written = Count::default();
                let writing = gristmill::spawn(write_counting(one, &[7; CHUNK], written.clone()));
                stuck.push((other, written, writing));
            }
            for (_, written, _) in &stuck {
                let chunks = settles(written, &mut friend).await;
                assert!(chunks * CHUNK < PLENTY, "{chunks} chunks that nobody reads");
            }
            for (other, _, writing) in stuck {
                reset(other);
                assert!(is_over(&writing.await.expect("no panic")));
            }
            friend.exchange().await;
        });
    });
}

/// Reads a byte at a time, and lets others go first each time.
async fn read_slowly(mut stream: TcpStream, length: usize) -> Vec<u8> {
    let mut received = Vec::new();
    let mut one = [0];
    while received.len() < length {
        stream.read_exact(&mut one).await.expect("a byte");
        received.push(one[0]);
        gristmill::task::yield_now().await;
    }
    received
}

#[test]
fn a_byte_at_a_time_arrives_whole_however_slow_either_side_is() {
    let test: fn(&Runtime) = |runtime| {
        runtime.block_on(async {
            let mut friend = Friend::new().await;
            let sent = pattern(20_000);
            let mut slow = Vec::new();
            for side in 0..6 {
                let (mut one, other) = narrow_pair().await;
                let bytes = sent.clone();
                let piece = if side % 2 == 0 { 1 } else { bytes.len() };
                let writing = gristmill::spawn(async move {
                    for piece in bytes.chunks(piece) {
                        one.write_all(piece).await.expect("a write");
                        gristmill::task::yield_now().await;
                    }
                });
                slow.push((writing, gristmill::spawn(read_slowly(other, sent.len()))));
            }
            for (writing, reading) in slow {
                friend.exchange().await;
                writing.await.expect("no panic");
                assert!(reading.await.expect("no panic") == sent);
            }
        });
    };
    on_each(test);
}

#[test]
fn a_request_that_takes_hours_is_still_one_request() {
    within("hours", || {
        let paused = Flavour::CurrentThread.builder().start_paused(true);
        let runtime = paused.build().expect("a runtime");
        runtime.block_on(async {
            let (mut one, mut other) = tcp_pair().await;
            let sending = gristmill::spawn(async move {
                for byte in pattern(500) {
                    sleep(Duration::from_secs(60)).await;
                    one.write_all(&[byte]).await.expect("a write");
                }
                one
            });
            let mut received = [0; 500];
            other.read_exact(&mut received).await.expect("all of it");
            assert!(received[..] == pattern(500));
            drop(sending.await.expect("no panic"));
        });
    });
}
