//! However a connection ends, its protocol is told so once.

mod callbacks;
mod common;

use callbacks::{Call, Calls, Recorder};
use common::{Count, on_each, silence_panics, with_each};
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::UnixStream;
use gristmill::net::protocol::{Eof, Protocol, Transport, attach};
use std::io::ErrorKind;

const ENDED_EARLY: Call = Call::Lost(Some(ErrorKind::ConnectionAborted));

/// Makes a recorder panic in the callback that `is_fatal` picks.
fn panicking(recorder: Recorder, is_fatal: impl Fn(&Call) -> bool + Send + 'static) -> Recorder {
    recorder.doing(move |_, call| assert!(!is_fatal(call), "expected"))
}

async fn calls_when_panicking(
    is_fatal: impl Fn(&Call) -> bool + Send + 'static,
) -> (Vec<Call>, Transport) {
    let (mut peer, stream) = UnixStream::pair().expect("a pair");
    let (recorder, calls) = Recorder::new();
    let (transport, ended) = attach(stream, panicking(recorder, is_fatal));
    transport.write(&vec![0; 100_000]);
    // These succeed, or the connection is lost before.
    let _ = peer.write_all(b"x").await;
    let _ = peer.close().await;
    let _ = peer.read_to_end(&mut Vec::new()).await;
    let error = ended.await.map(drop).expect_err("a panic");
    assert!(error.is_panic());
    transport.wait_closed().await;
    (calls.rest().await, transport)
}

#[test]
fn a_panic_in_any_callback_ends_the_connection_and_reaches_its_handle() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let fatal: [fn(&Call) -> bool; 5] = [
                |call| *call == Call::Made,
                |call| matches!(call, Call::Data(_)),
                |call| *call == Call::Eof,
                |call| *call == Call::Pause,
                |call| *call == Call::Resume,
            ];
            for is_fatal in fatal {
                let (calls, transport) = calls_when_panicking(is_fatal).await;
                let panicked = calls.iter().position(is_fatal).expect("it was called");
                assert_eq!(calls[panicked + 1..], [ENDED_EARLY], "{calls:?}");
                assert!(transport.is_closing());
                assert_eq!(transport.get_write_buffer_size(), 0);
            }
        });
    });
}

#[test]
fn a_panic_in_the_last_callback_does_not_repeat_it() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let (calls, _) = calls_when_panicking(|call| matches!(call, Call::Lost(_))).await;
            let lost = calls.iter().filter(|call| matches!(call, Call::Lost(_)));
            assert_eq!(lost.count(), 1, "{calls:?}");
        });
    });
}

#[test]
fn panics_in_two_callbacks_are_one_panic_of_the_task() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let (calls, _) =
                calls_when_panicking(|call| matches!(call, Call::Data(_) | Call::Lost(_))).await;
            assert_eq!(calls.last(), Some(&ENDED_EARLY));
        });
    });
}

#[test]
fn an_abort_of_the_task_is_told() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (_peer, stream) = UnixStream::pair().expect("a pair");
            let (recorder, calls) = Recorder::new();
            let (transport, ended) = attach(stream, recorder);
            assert_eq!(calls.next().await, Call::Made);
            ended.abort();
            transport.wait_closed().await;
            assert_eq!(calls.rest().await, [ENDED_EARLY]);
            let error = ended.await.map(drop).expect_err("an abort");
            assert!(error.is_cancelled());
        });
    });
}

async fn open(peers: &mut Vec<UnixStream>) -> Calls {
    let (peer, stream) = UnixStream::pair().expect("a pair");
    let (recorder, calls) = Recorder::new();
    drop(attach(stream, recorder));
    assert_eq!(calls.next().await, Call::Made);
    peers.push(peer);
    calls
}

#[test]
fn the_end_of_the_runtime_is_told_to_every_connection() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let mut peers = Vec::new();
        let mut all = Vec::new();
        runtime.block_on(async {
            for _ in 0..20 {
                all.push(open(&mut peers).await);
            }
        });
        drop(runtime);
        for calls in all {
            assert_eq!(calls.so_far(), [ENDED_EARLY]);
        }
    });
}

#[test]
fn a_connection_whose_task_never_ran_makes_no_call() {
    common::within("a runtime that is never driven", || {
        let runtime = common::Flavour::CurrentThread.runtime();
        let (recorder, calls) = Recorder::new();
        let transport = {
            let _inside = runtime.enter();
            let (_peer, stream) = UnixStream::pair().expect("a pair");
            attach(stream, recorder).0
        };
        drop(runtime);
        assert_eq!(calls.so_far(), []);
        // Those who wait for the end are not left waiting.
        gristmill::run(async move { transport.wait_closed().await });
    });
}

/// Counts drops, and otherwise does nothing.
struct Silent(#[expect(dead_code, reason = "its drop counts")] common::Probe);

impl Protocol for Silent {
    fn data_received(&mut self, _: &[u8]) {}
    fn eof_received(&mut self) -> Eof {
        Eof::KeepOpen
    }
}

#[test]
fn the_handle_gives_the_protocol_back_and_a_dropped_handle_lets_the_connection_live() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let (_peer, stream) = UnixStream::pair().expect("a pair");
            let (transport, ended) = attach(stream, Silent(drops.on_drop()));
            transport.close();
            let protocol = ended.await.expect("no panic");
            assert_eq!(drops.get(), 0);
            drop(protocol);
            assert_eq!(drops.get(), 1);

            let (mut peer, stream) = UnixStream::pair().expect("a pair");
            let (transport, ended) = attach(stream, Silent(drops.on_drop()));
            drop(ended);
            transport.write(b"alive");
            peer.read_exact(&mut [0; 5]).await.expect("alive");
            transport.close();
            transport.wait_closed().await;
            common::eventually("the protocol is dropped", || drops.get() == 2);
        });
    });
}
