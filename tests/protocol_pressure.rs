//! A slow reader slows the writer down: what waits to be sent is bounded by the high-water mark.

mod callbacks;
mod common;
mod wire;

use callbacks::{Call, Recorder};
use common::{on_each, panic_text};
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::UnixStream;
use gristmill::net::protocol::{Protocol, Transport, Written, attach};
use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use wire::pattern;

const HIGH: usize = 64 * 1024;
const LOW: usize = 16 * 1024;
/// One write.
const PIECE: usize = 10_000;
/// Far more than the operating system holds for a connection.
const TOTAL: usize = 4_000_000;

/// Writes `TOTAL` bytes and closes, going on only while the answers say that there is room.
struct Source {
    transport: Option<Transport>,
    bytes: Vec<u8>,
    written: usize,
    is_paused: bool,
    /// The most that has ever waited to be sent.
    peak: Arc<AtomicUsize>,
}

impl Source {
    fn new() -> (Self, Arc<AtomicUsize>) {
        let peak = Arc::new(AtomicUsize::new(0));
        let source = Self {
            transport: None,
            bytes: pattern(TOTAL),
            written: 0,
            is_paused: false,
            peak: Arc::clone(&peak),
        };
        (source, peak)
    }

    fn pump(&mut self) {
        let transport = self.transport.as_ref().expect("made");
        while self.written < TOTAL {
            let piece = &self.bytes[self.written..(self.written + PIECE).min(TOTAL)];
            let answer = transport.write(piece);
            self.written += piece.len();
            let size = transport.get_write_buffer_size();
            self.peak.fetch_max(size, Ordering::SeqCst);
            if answer == Written::Full {
                return;
            }
        }
        transport.close();
    }
}

impl Protocol for Source {
    fn connection_made(&mut self, transport: Transport) {
        self.transport = Some(transport);
        self.pump();
    }
    fn data_received(&mut self, _: &[u8]) {}
    fn pause_writing(&mut self) {
        assert!(!self.is_paused, "paused twice");
        self.is_paused = true;
    }
    fn resume_writing(&mut self) {
        assert!(self.is_paused, "resumed without a pause");
        self.is_paused = false;
        self.pump();
    }
}

/// Reads little by little to the end, letting the writer run far ahead first.
async fn read_slowly(mut peer: UnixStream) -> Vec<u8> {
    for _ in 0..100 {
        gristmill::task::yield_now().await;
    }
    let mut received = Vec::new();
    let mut buf = vec![0; 50_000];
    loop {
        match peer.read(&mut buf).await.expect("a read") {
            0 => return received,
            count => received.extend_from_slice(&buf[..count]),
        }
        gristmill::task::yield_now().await;
    }
}

#[test]
fn a_protocol_that_heeds_the_answers_holds_one_write_above_the_mark_at_most() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (peer, stream) = UnixStream::pair().expect("a pair");
            let (source, peak) = Source::new();
            let (_, ended) = attach(stream, source);
            assert!(read_slowly(peer).await == pattern(TOTAL));
            drop(ended.await.expect("no panic"));
            let peak = peak.load(Ordering::SeqCst);
            assert!((HIGH + 1..=HIGH + PIECE).contains(&peak), "{peak}");
        });
    });
}

#[test]
fn a_task_that_drains_after_each_write_holds_one_write_above_the_mark_at_most() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (peer, stream) = UnixStream::pair().expect("a pair");
            let (recorder, _calls) = Recorder::new();
            let (transport, ended) = attach(stream, recorder);
            let writing = gristmill::spawn(async move {
                let mut peak = 0;
                for piece in pattern(TOTAL).chunks(PIECE) {
                    transport.write(piece);
                    peak = peak.max(transport.get_write_buffer_size());
                    transport.drain().await.expect("not lost");
                }
                transport.close();
                peak
            });
            assert!(read_slowly(peer).await == pattern(TOTAL));
            let peak = writing.await.expect("no panic");
            assert!((PIECE..=HIGH + PIECE).contains(&peak), "{peak}");
            drop(ended.await.expect("no panic"));
        });
    });
}

/// The reading side of a relay: gives what comes to the other connection.
struct Upstream {
    own: Option<Transport>,
    other: Transport,
    peak: Arc<AtomicUsize>,
}

impl Protocol for Upstream {
    fn connection_made(&mut self, transport: Transport) {
        self.own = Some(transport);
    }
    fn data_received(&mut self, data: &[u8]) {
        let own = self.own.as_ref().expect("made");
        // Before the write, so that the other side's call to go on comes after it.
        own.pause_reading();
        if self.other.write(data) != Written::Full {
            own.resume_reading();
        }
        let size = self.other.get_write_buffer_size();
        self.peak.fetch_max(size, Ordering::SeqCst);
    }
    fn connection_lost(&mut self, _: Option<std::io::Error>) {
        self.other.close();
    }
}

/// The writing side: lets the reading side go on.
struct Downstream(Arc<OnceLock<Transport>>);

impl Protocol for Downstream {
    fn data_received(&mut self, _: &[u8]) {}
    fn resume_writing(&mut self) {
        self.0.get().expect("set before any write").resume_reading();
    }
}

#[test]
fn a_relay_between_two_connections_holds_no_more_than_two_reads_above_the_mark() {
    /// The most that comes in one call.
    const READ: usize = 64 * 1024;
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut source, from) = UnixStream::pair().expect("a pair");
            let (to, sink) = UnixStream::pair().expect("a pair");
            let upstream = Arc::new(OnceLock::new());
            let (other, _) = attach(to, Downstream(Arc::clone(&upstream)));
            let peak = Arc::new(AtomicUsize::new(0));
            let (own, ended) = attach(
                from,
                Upstream {
                    own: None,
                    other,
                    peak: Arc::clone(&peak),
                },
            );
            upstream.set(own).expect("once");
            let sending = gristmill::spawn(async move {
                source.write_all(&pattern(TOTAL)).await.expect("a write");
            });
            assert!(read_slowly(sink).await == pattern(TOTAL));
            sending.await.expect("no panic");
            drop(ended.await.expect("no panic"));
            let peak = peak.load(Ordering::SeqCst);
            assert!((HIGH + 1..=HIGH + 2 * READ).contains(&peak), "{peak}");
        });
    });
}

#[test]
fn every_pause_is_followed_by_its_resume() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, stream) = UnixStream::pair().expect("a pair");
            let (recorder, calls) = Recorder::new();
            let (transport, _ended) = attach(stream, recorder);
            assert_eq!(calls.next().await, Call::Made);
            for _ in 0..20 {
                assert_eq!(transport.write(&vec![0; HIGH + 1]), Written::Full);
                assert_eq!(calls.next().await, Call::Pause);
                peer.read_exact(&mut vec![0; HIGH + 1]).await.expect("all");
                assert_eq!(calls.next().await, Call::Resume);
                transport.drain().await.expect("nothing waits");
            }
            assert_eq!(calls.so_far(), []);
        });
    });
}

#[test]
fn below_the_mark_there_is_no_pause() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, stream) = UnixStream::pair().expect("a pair");
            let (recorder, calls) = Recorder::new();
            let recorder = recorder.doing(|transport, call| {
                if *call == Call::Made {
                    assert_eq!(transport.write(&vec![0; HIGH]), Written::Taken);
                    assert_eq!(transport.get_write_buffer_size(), HIGH);
                }
            });
            let (transport, _ended) = attach(stream, recorder);
            peer.read_exact(&mut vec![0; HIGH]).await.expect("all");
            transport.close();
            transport.wait_closed().await;
            assert_eq!(calls.so_far(), [Call::Made, Call::Lost(None)]);
        });
    });
}

#[test]
fn the_marks_are_those_of_asyncio_and_can_be_set() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, stream) = UnixStream::pair().expect("a pair");
            let (recorder, calls) = Recorder::new();
            let (transport, _ended) = attach(stream, recorder);
            assert_eq!(transport.get_write_buffer_limits(), (LOW, HIGH));
            assert_eq!(calls.next().await, Call::Made);

            transport.set_write_buffer_limits(0, 0);
            assert_eq!(transport.write(b"x"), Written::Full);
            assert_eq!(calls.next().await, Call::Pause);
            assert_eq!(calls.next().await, Call::Resume);
            peer.read_exact(&mut [0]).await.expect("a read");

            transport.set_write_buffer_limits(100, 10);
            assert_eq!(transport.get_write_buffer_limits(), (10, 100));
            let text = panic_text(|| transport.set_write_buffer_limits(10, 100));
            assert!(
                text.contains("100 bytes") && text.contains("10 bytes"),
                "{text}"
            );
            assert_eq!(transport.get_write_buffer_limits(), (10, 100));
        });
    });
}

#[test]
fn higher_marks_let_a_writer_go_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (peer, stream) = UnixStream::pair().expect("a pair");
            let (recorder, calls) = Recorder::new();
            let (transport, _ended) = attach(stream, recorder);
            assert_eq!(transport.write(&vec![0; TOTAL]), Written::Full);
            assert_eq!(calls.next().await, Call::Made);
            assert_eq!(calls.next().await, Call::Pause);
            transport.set_write_buffer_limits(2 * TOTAL, 2 * TOTAL);
            transport.drain().await.expect("not lost");
            assert_eq!(calls.next().await, Call::Resume);
            drop(peer);
        });
    });
}

#[test]
fn who_waits_for_room_hears_that_the_connection_is_lost() {
    on_each(|runtime| {
        runtime.block_on(async {
            let ends: [fn(&Transport, UnixStream); 2] = [
                |transport, _peer| transport.abort(),
                |_transport, peer| drop(peer),
            ];
            for end in ends {
                let (peer, stream) = UnixStream::pair().expect("a pair");
                let (recorder, calls) = Recorder::new();
                let (transport, _ended) = attach(stream, recorder);
                assert_eq!(transport.write(&vec![0; TOTAL]), Written::Full);
                assert_eq!(calls.next().await, Call::Made);
                let waiting = transport.clone();
                let waiter = gristmill::spawn(async move { waiting.drain().await });
                assert_eq!(calls.next().await, Call::Pause);
                end(&transport, peer);
                let error = waiter.await.expect("no panic").expect_err("lost");
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            }
        });
    });
}
