//! The end of a TCP stream is never lost, comes after all bytes, and each way ends by itself.

mod common;
mod wire;

use common::on_each;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::TcpStream;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::time::Duration;
use wire::{Pairs, forget_when_dropped, pattern, tcp_pair};

/// More than the short reads after which the reactor begins to trust them.
const WARM_UP: u8 = 8;

/// Small messages to and fro.
async fn warm_up(reader: &mut TcpStream, writer: &mut TcpStream) {
    let mut buf = [0; 64];
    for message in 0..WARM_UP {
        writer.write_all(&[message]).await.expect("a write");
        assert_eq!(reader.read(&mut buf).await.expect("a read"), 1);
    }
}

/// How the writer ends its way.
#[derive(Clone, Copy)]
enum End {
    Drop,
    Close,
    DropHalf,
}

/// Writes and ends, in one go.
async fn write_and_end(mut stream: TcpStream, bytes: &[u8], end: End) {
    match end {
        End::Drop => stream.write_all(bytes).await.expect("a write"),
        End::Close => {
            stream.write_all(bytes).await.expect("a write");
            stream.close().await.expect("a close");
        }
        End::DropHalf => {
            let (reader, mut writer) = stream.into_split();
            writer.write_all(bytes).await.expect("a write");
            drop(writer);
            drop(reader);
        }
    }
}

#[test]
fn the_end_right_behind_the_last_bytes_is_never_lost() {
    on_each(|runtime| {
        runtime.block_on(async {
            let pairs = Pairs::new().await;
            for round in 0..40 {
                for length in [0, 1, 2, 63, 64, 65, 1000, 4096, 5000] {
                    let end = [End::Drop, End::Close, End::DropHalf][round % 3];
                    let (mut reader, mut writer) = pairs.next().await;
                    forget_when_dropped(&reader);
                    if round % 4 != 0 {
                        warm_up(&mut reader, &mut writer).await;
                    }
                    let reading = gristmill::spawn(async move {
                        let mut received = Vec::new();
                        let mut buf = [0; 4096];
                        loop {
                            match reader.read(&mut buf).await.expect("a read") {
                                0 => return received,
                                count => received.extend_from_slice(&buf[..count]),
                            }
                        }
                    });
                    let sent = pattern(length);
                    write_and_end(writer, &sent, end).await;
                    assert!(reading.await.expect("no panic") == sent);
                }
            }
        });
    });
}

#[test]
fn the_end_that_a_thread_outside_sends_is_never_lost() {
    use std::io::Write;
    on_each(|runtime| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = listener.local_addr().expect("an address");
        let peer = std::thread::spawn(move || {
            for round in 0..300 {
                let (mut stream, _) = listener.accept().expect("a connection");
                for message in 0..round % 12 {
                    stream.write_all(&[message as u8]).expect("a write");
                    if round % 2 == 0 {
                        std::thread::yield_now();
                    }
                }
                stream.write_all(b"last").expect("a write");
            }
        });
        runtime.block_on(async {
            for round in 0..300 {
                let mut stream = TcpStream::connect(address).await.expect("a connection");
                forget_when_dropped(&stream);
                let mut received = Vec::new();
                stream.read_to_end(&mut received).await.expect("a read");
                assert_eq!(received.len(), round % 12 + 4);
            }
        });
        peer.join().expect("no panic");
    });
}

#[test]
fn after_the_end_of_one_way_the_other_goes_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, mut other) = tcp_pair().await;
            one.write_all(b"question").await.expect("a write");
            one.shutdown(Shutdown::Write).expect("a half close");
            let mut question = String::new();
            other.read_to_string(&mut question).await.expect("the end");
            other.write_all(b"answer").await.expect("a write");
            drop(other);
            let mut answer = String::new();
            one.read_to_string(&mut answer).await.expect("the end");
            assert_eq!((&*question, &*answer), ("question", "answer"));
        });
    });
}

#[test]
fn a_connection_that_the_peer_resets_gives_an_error() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, other) = tcp_pair().await;
            let reading = gristmill::spawn(async move {
                let error = one.read(&mut [0; 16]).await.expect_err("a reset");
                (one, error)
            });
            other.set_linger(Some(Duration::ZERO)).expect("an option");
            drop(other);
            let (mut one, error) = reading.await.expect("no panic");
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            let error = one.write(b"too late").await.expect_err("no peer");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        });
    });
}

#[test]
fn closing_after_the_peer_is_gone_is_no_error() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, other) = tcp_pair().await;
            other.set_linger(Some(Duration::ZERO)).expect("an option");
            drop(other);
            one.read(&mut [0; 16]).await.expect_err("a reset");
            one.close().await.expect("nothing left to end");
        });
    });
}

#[test]
fn dropping_the_writing_half_ends_that_way_while_a_task_waits_in_the_other() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, mut other) = tcp_pair().await;
            let (mut reader, writer) = one.into_split();
            let reading = gristmill::spawn(async move {
                let mut received = String::new();
                reader.read_to_string(&mut received).await.expect("the end");
                received
            });
            drop(writer);
            assert_eq!(other.read(&mut [0; 16]).await.expect("the end"), 0);
            other.write_all(b"still open").await.expect("a write");
            drop(other);
            assert_eq!(reading.await.expect("no panic"), "still open");
        });
    });
}

#[test]
fn aborting_the_task_that_waits_in_one_half_leaves_the_other_usable() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, mut other) = tcp_pair().await;
            let (mut reader, mut writer) = one.into_split();
            let reading = gristmill::spawn(async move { reader.read(&mut [0; 16]).await });
            gristmill::task::yield_now().await;
            reading.abort();
            assert!(reading.await.expect_err("an abort").is_cancelled());
            writer.write_all(b"alive").await.expect("a write");
            drop(writer);
            let mut received = String::new();
            other.read_to_string(&mut received).await.expect("the end");
            assert_eq!(received, "alive");
        });
    });
}

#[test]
fn a_forgotten_writing_half_does_not_end_its_way() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, other) = tcp_pair().await;
            let (reader, writer) = one.into_split();
            writer.forget();
            // Asking the peer once more, after a round trip the other way, shows that no end was sent.
            (&other).write_all(b"x").await.expect("a write");
            reader.readable().await.expect("readable");
            let error = loop {
                match reader.try_read(&mut [0; 1]) {
                    Ok(count) => assert_eq!(count, 1),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            let error = other.try_read(&mut [0; 1]).expect_err("no end");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        });
    });
}

#[test]
fn halves_of_one_stream_reunite_and_others_come_back() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, other) = tcp_pair().await;
            let (one_reader, one_writer) = one.into_split();
            let (other_reader, other_writer) = other.into_split();
            let error = one_reader.reunite(other_writer).expect_err("two streams");
            let (one_reader, other_writer) = (error.0, error.1);
            let mut one = one_reader.reunite(one_writer).expect("one stream");
            let mut other = other_writer.reunite(other_reader).expect("one stream");
            one.write_all(b"whole").await.expect("a write");
            drop(one);
            let mut received = String::new();
            other.read_to_string(&mut received).await.expect("the end");
            assert_eq!(received, "whole");
        });
    });
}
