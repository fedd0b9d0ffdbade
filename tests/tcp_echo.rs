//! What is written to a TCP stream arrives at the other end: all of it, in order, both ways at once, on many streams.

mod common;
mod wire;

use common::on_each;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::task::JoinSet;
use std::io::{IoSlice, IoSliceMut};
use wire::{echo, forget_when_dropped, pattern, tcp_pair};

const MIB: usize = 1 << 20;

#[test]
fn a_mebibyte_in_odd_chunks_comes_back_as_it_was() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (client, server) = tcp_pair().await;
            let server = gristmill::spawn(echo(server));
            let sent = pattern(MIB);
            let (mut reader, mut writer) = client.into_split();
            let chunks = sent.clone();
            let writing = gristmill::spawn(async move {
                let mut rest = &chunks[..];
                for size in [1, 3, 7, 127, 1021, 4099, 65_537].into_iter().cycle() {
                    let (chunk, left) = rest.split_at(size.min(rest.len()));
                    writer.write_all(chunk).await?;
                    rest = left;
                    if rest.is_empty() {
                        break;
                    }
                }
                std::io::Result::Ok(())
            });
            let mut received = Vec::new();
            let mut buf = [0; 1531];
            loop {
                match reader.read(&mut buf).await.expect("a read") {
                    0 => break,
                    count => received.extend_from_slice(&buf[..count]),
                }
            }
            assert!(
                received == sent,
                "{} bytes came back, not the same",
                received.len()
            );
            writing.await.expect("no panic").expect("all writes");
            server.await.expect("no panic").expect("an echo");
        });
    });
}

#[test]
fn both_ways_carry_a_mebibyte_at_once() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, other) = tcp_pair().await;
            let mut ways = Vec::new();
            for stream in [one, other] {
                let (mut reader, mut writer) = stream.into_split();
                ways.push(gristmill::spawn(async move {
                    writer.write_all(&pattern(MIB)).await.expect("a write");
                }));
                ways.push(gristmill::spawn(async move {
                    let mut received = Vec::new();
                    reader.read_to_end(&mut received).await.expect("a read");
                    assert!(received == pattern(MIB));
                }));
            }
            for way in ways {
                way.await.expect("no panic");
            }
        });
    });
}

#[test]
fn borrowed_halves_work_in_one_task() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut client, server) = tcp_pair().await;
            let server = gristmill::spawn(echo(server));
            let (mut reader, mut writer) = client.split();
            let sent = pattern(300_000);
            let mut received = vec![0; sent.len()];
            let (wrote, read) = futures_lite::future::zip(
                writer.write_all(&sent),
                reader.read_exact(&mut received),
            )
            .await;
            wrote.and(read).expect("both ways");
            assert!(received == sent);
            drop(client);
            server.await.expect("no panic").expect("an echo");
        });
    });
}

#[test]
fn sixty_four_connections_exchange_a_hundred_messages_each() {
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            let server = gristmill::spawn(async move {
                let mut connections = JoinSet::new();
                for _ in 0..64 {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    connections.spawn(echo(stream));
                }
                while let Some(ended) = connections.join_next().await {
                    ended.expect("no panic").expect("an echo");
                }
            });
            let mut clients = JoinSet::new();
            for client in 0..64_u8 {
                clients.spawn(async move {
                    let mut stream = TcpStream::connect(address).await.expect("a connection");
                    for message in 0..100_u8 {
                        let sent = [client, message, 7];
                        let mut received = [0; 3];
                        stream.write_all(&sent).await.expect("a write");
                        stream.read_exact(&mut received).await.expect("a read");
                        assert_eq!(received, sent);
                    }
                    // Only once the server has ended its way does it no longer mind.
                    stream.close().await.expect("a close");
                    assert_eq!(stream.read(&mut [0; 1]).await.expect("the end"), 0);
                    forget_when_dropped(&stream);
                });
            }
            while let Some(ended) = clients.join_next().await {
                ended.expect("no panic");
            }
            server.await.expect("no panic");
        });
    });
}

#[test]
fn a_stream_behind_a_reference_reads_and_writes() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, other) = tcp_pair().await;
            (&one).write_all(b"shared").await.expect("a write");
            let mut received = [0; 6];
            (&other).read_exact(&mut received).await.expect("a read");
            assert_eq!(&received, b"shared");
        });
    });
}

#[test]
fn several_buffers_are_written_and_read_in_one_go() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, mut other) = tcp_pair().await;
            let written = one
                .write_vectored(&[IoSlice::new(b"one "), IoSlice::new(b"two")])
                .await
                .expect("a write");
            assert_eq!(written, 7);
            // All seven bytes have to be there before the one read that is to get them.
            while other.peek(&mut [0; 8]).await.expect("a peek") < 7 {}
            let (mut first, mut second) = ([0; 5], [0; 5]);
            let count = other
                .read_vectored(&mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)])
                .await
                .expect("a read");
            assert_eq!((count, &first, &second), (7, b"one t", b"wo\0\0\0"));
        });
    });
}
