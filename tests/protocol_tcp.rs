//! What a protocol over a stream is told, in which order, and what its transport does.

mod callbacks;
mod common;
mod wire;

use callbacks::{Call, Calls, Recorder, joined};
use common::on_each;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::protocol::{
    Endpoint, Protocol, Transport, Written, attach, connect, connect_unix,
};
use gristmill::net::{TcpListener, UnixListener, UnixStream};
use gristmill::task::JoinHandle;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};
use wire::{forget_when_dropped, fresh_path, pattern, tcp_pair};

/// A recorder on one end of a Unix connection, and the other end.
fn recorded(
    make: impl FnOnce(Recorder) -> Recorder,
) -> (UnixStream, Transport, JoinHandle<Recorder>, Calls) {
    let (peer, stream) = UnixStream::pair().expect("a pair");
    let (recorder, calls) = Recorder::new();
    let (transport, ended) = attach(stream, make(recorder));
    (peer, transport, ended, calls)
}

#[test]
fn a_connection_is_made_gets_data_hears_the_end_and_is_lost() {
    async fn converse(mut peer: impl Endpoint, ended: JoinHandle<Recorder>, calls: Calls) {
        assert_eq!(calls.next().await, Call::Made);
        peer.write_all(b"question").await.expect("a write");
        assert_eq!(calls.data(8).await, b"question");
        peer.close().await.expect("a close");
        drop(ended.await.expect("no panic"));
        assert_eq!(calls.rest().await, [Call::Eof, Call::Lost(None)]);
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).await.expect("the end");
        assert!(rest.is_empty());
    }
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            let (recorder, calls) = Recorder::new();
            let (transport, ended) = connect(address, recorder).await.expect("a connection");
            let (peer, from) = listener.accept().await.expect("a connection");
            assert_eq!(transport.peer_addr().ip(), Some(address));
            assert_eq!(transport.local_addr().ip(), Some(from));
            assert_eq!(transport.peer_addr().to_string(), address.to_string());
            converse(peer, ended, calls).await;

            let path = fresh_path();
            let listener = UnixListener::bind(&path).expect("a listener");
            let (recorder, calls) = Recorder::new();
            let (transport, ended) = connect_unix(&path, recorder).await.expect("a connection");
            let (peer, _) = listener.accept().await.expect("a connection");
            std::fs::remove_file(&path).expect("it is there");
            assert_eq!(transport.peer_addr().path(), Some(path.as_path()));
            converse(peer, ended, calls).await;
        });
    });
}

#[test]
fn a_connection_that_cannot_be_made_makes_no_call() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (recorder, calls) = Recorder::new();
            let error = connect_unix(fresh_path(), recorder)
                .await
                .expect_err("nobody");
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert_eq!(calls.rest().await, []);
        });
    });
}

#[test]
fn bytes_arrive_whole_and_in_order_both_ways() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, stream) = tcp_pair().await;
            let (recorder, _calls) = Recorder::new();
            let echo = recorder.doing(|transport, call| {
                if let Call::Data(data) = call {
                    transport.write(data);
                }
            });
            let (_, ended) = attach(stream, echo);
            let sent = pattern(3_000_000);
            let (mut reader, mut writer) = peer.split();
            let mut received = Vec::new();
            let (wrote, read) = futures_lite::future::zip(
                async {
                    writer.write_all(&sent).await?;
                    writer.close().await
                },
                reader.read_to_end(&mut received),
            )
            .await;
            wrote.expect("a write");
            read.expect("a read");
            assert!(received == sent);
            drop(ended.await.expect("no panic"));
        });
    });
}

#[test]
fn a_close_sends_what_was_written_before() {
    on_each(|runtime| {
        runtime.block_on(async {
            let sent = pattern(2_000_000);
            let copy = sent.clone();
            let (mut peer, transport, ended, calls) = recorded(|recorder| {
                recorder.doing(move |transport, call| {
                    if *call == Call::Made {
                        transport.write(&copy);
                        transport.close();
                        assert!(transport.is_closing());
                        assert_eq!(transport.write(b"late"), Written::Closed);
                    }
                })
            });
            let mut received = Vec::new();
            peer.read_to_end(&mut received).await.expect("the end");
            assert!(received == sent);
            transport.wait_closed().await;
            drop(ended.await.expect("no panic"));
            let calls = calls.rest().await;
            assert_eq!(
                (calls.first(), calls.last()),
                (Some(&Call::Made), Some(&Call::Lost(None)))
            );
        });
    });
}

#[test]
fn a_close_ends_the_reading_at_once() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, transport, ended, calls) = recorded(|recorder| {
                recorder.doing(|transport, call| {
                    if matches!(call, Call::Data(_)) {
                        transport.close();
                    }
                })
            });
            // More than one call takes.
            let sending =
                gristmill::spawn(async move { peer.write_all(&pattern(1_000_000)).await });
            drop(ended.await.expect("no panic"));
            let calls = calls.rest().await;
            assert_eq!(calls.len(), 3, "made, data once, lost");
            assert_eq!(calls[2], Call::Lost(None));
            assert!(!transport.is_reading());
            let error = sending.await.expect("no panic").expect_err("nobody reads");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        });
    });
}

#[test]
fn an_abort_ends_a_connection_whose_peer_does_not_read() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (peer, transport, ended, calls) = recorded(|recorder| recorder);
            // More than the operating system takes.
            assert_eq!(transport.write(&pattern(8_000_000)), Written::Full);
            transport.close();
            transport.abort();
            transport.wait_closed().await;
            assert_eq!(transport.get_write_buffer_size(), 0);
            drop(ended.await.expect("no panic"));
            let last = calls.rest().await.pop();
            assert_eq!(last, Some(Call::Lost(None)));
            drop(peer);
        });
    });
}

#[test]
fn after_the_end_of_this_way_the_answer_still_comes() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, transport, ended, calls) = recorded(|recorder| {
                recorder.doing(|transport, call| {
                    if *call == Call::Made {
                        transport.writelines(["two ", "pieces"]);
                        transport.write_eof();
                        assert_eq!(transport.write(b"late"), Written::Closed);
                    }
                })
            });
            let mut question = String::new();
            peer.read_to_string(&mut question).await.expect("the end");
            assert_eq!(question, "two pieces");
            assert!(!transport.is_closing());
            peer.write_all(b"answer").await.expect("a write");
            drop(peer);
            drop(ended.await.expect("no panic"));
            let expected = [
                Call::Made,
                Call::Data(b"answer".to_vec()),
                Call::Eof,
                Call::Lost(None),
            ];
            assert_eq!(joined(calls.rest().await), expected);
        });
    });
}

#[test]
fn a_protocol_may_keep_its_way_open_after_the_peers_end() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, transport, ended, calls) = recorded(Recorder::keep_open);
            peer.close().await.expect("a close");
            assert_eq!(calls.next().await, Call::Made);
            assert_eq!(calls.next().await, Call::Eof);
            assert!(!transport.is_closing());
            assert_eq!(transport.write(b"answer"), Written::Taken);
            let mut answer = [0; 6];
            peer.read_exact(&mut answer).await.expect("the answer");
            // With both ways ended nothing is left of the connection.
            transport.write_eof();
            drop(ended.await.expect("no panic"));
            assert_eq!(calls.rest().await, [Call::Lost(None)]);
            assert_eq!(peer.read(&mut answer).await.expect("the end"), 0);
        });
    });
}

#[test]
fn a_reset_by_the_peer_is_the_reason_of_the_loss() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (peer, stream) = tcp_pair().await;
            let (recorder, calls) = Recorder::new();
            let (transport, ended) = attach(stream, recorder);
            assert_eq!(calls.next().await, Call::Made);
            forget_when_dropped(&peer);
            drop(peer);
            drop(ended.await.expect("no panic"));
            let lost = Call::Lost(Some(ErrorKind::ConnectionReset));
            assert_eq!(calls.rest().await, [lost]);
            assert_eq!(transport.write(b"late"), Written::Closed);
            let error = transport.drain().await.expect_err("lost");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        });
    });
}

#[test]
fn a_write_to_a_peer_that_is_gone_is_the_reason_of_the_loss() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (peer, transport, ended, calls) = recorded(Recorder::keep_open);
            drop(peer);
            assert_eq!(calls.next().await, Call::Made);
            assert_eq!(calls.next().await, Call::Eof);
            transport.write(b"anybody?");
            drop(ended.await.expect("no panic"));
            let lost = Call::Lost(Some(ErrorKind::BrokenPipe));
            assert_eq!(calls.rest().await, [lost]);
        });
    });
}

#[test]
fn while_reading_is_paused_nothing_is_received_and_nothing_is_lost() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, transport, _ended, calls) = recorded(|recorder| {
                recorder.doing(|transport, call| {
                    if *call == Call::Made {
                        transport.pause_reading();
                        assert!(!transport.is_reading());
                    }
                })
            });
            assert_eq!(calls.next().await, Call::Made);
            peer.write_all(b"early").await.expect("a write");
            // A round trip through the connection's task shows that it has looked around meanwhile.
            transport.write(b"x");
            peer.read_exact(&mut [0]).await.expect("a read");
            assert_eq!(calls.so_far(), []);
            transport.resume_reading();
            assert!(transport.is_reading());
            assert_eq!(calls.data(5).await, b"early");
        });
    });
}

#[test]
fn threads_outside_write_through_clones() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, transport, _ended, calls) = recorded(|recorder| recorder);
            assert_eq!(calls.next().await, Call::Made);
            let threads = [b'a', b'b', b'c'].map(|letter| {
                let transport = transport.clone();
                std::thread::spawn(move || {
                    for _ in 0..100 {
                        transport.writelines([[letter], [letter]]);
                    }
                })
            });
            let mut received = vec![0; 600];
            peer.read_exact(&mut received).await.expect("everything");
            let pairs: Vec<_> = received.chunks(2).collect();
            assert!(pairs.iter().all(|pair| pair[0] == pair[1]));
            for letter in [b'a', b'b', b'c'] {
                let count = pairs.iter().filter(|pair| pair[0] == letter).count();
                assert_eq!(count, 100);
            }
            for thread in threads {
                thread.join().expect("no panic");
            }
        });
    });
}

/// A stream that holds back what is written until it is flushed.
struct Hoarder {
    stream: UnixStream,
    held: Vec<u8>,
}

impl Endpoint for Hoarder {}

impl gristmill::io::AsyncRead for Hoarder {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl gristmill::io::AsyncWrite for Hoarder {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let count = buf.len().min(3);
        self.get_mut().held.extend_from_slice(&buf[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        while !this.held.is_empty() {
            match Pin::new(&mut this.stream).poll_write(cx, &this.held)? {
                Poll::Ready(count) => drop(this.held.drain(..count)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        assert!(self.held.is_empty(), "closed before it was flushed");
        Pin::new(&mut self.get_mut().stream).poll_close(cx)
    }
}

#[test]
fn a_stream_of_the_users_own_is_flushed_and_closed() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, stream) = UnixStream::pair().expect("a pair");
            let (recorder, calls) = Recorder::new();
            let held = Vec::new();
            let (transport, ended) = attach(Hoarder { stream, held }, recorder);
            assert_eq!(transport.peer_addr().to_string(), "an unknown address");
            transport.write(b"held back");
            let mut received = [0; 9];
            peer.read_exact(&mut received).await.expect("flushed");
            transport.write(b"and closed");
            transport.close();
            let mut rest = Vec::new();
            peer.read_to_end(&mut rest).await.expect("the end");
            assert_eq!(rest, b"and closed");
            drop(ended.await.expect("no panic"));
            assert_eq!(calls.rest().await, [Call::Made, Call::Lost(None)]);
        });
    });
}

/// A stream that always has something to read.
struct Endless;

impl Endpoint for Endless {}

impl gristmill::io::AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(1))
    }
}

impl gristmill::io::AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_stream_that_is_always_ready_starves_nobody() {
    struct Ignore;
    impl Protocol for Ignore {
        fn data_received(&mut self, _: &[u8]) {}
    }
    on_each(|runtime| {
        runtime.block_on(async {
            let (transport, _) = attach(Endless, Ignore);
            for _ in 0..10 {
                gristmill::spawn(async {}).await.expect("no panic");
            }
            transport.abort();
            transport.wait_closed().await;
        });
    });
}
