//! What takes a whole runtime to come about, and is not seen from outside of the crate. Not with the portable poller, which does not tell of
//! the end of a stream, so that nothing is ever taken for drained.

use super::Builder;
use crate::reactor::{Initial, Registered};
use std::future::poll_fn;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll};

/// Reads a message that comes once somebody waits for it, and answers it. How many attempts to read that took.
async fn attempts(socket: &Registered<UnixStream>, peer: &mut UnixStream) -> u32 {
    let mut attempts = 0;
    let mut poll_read = |cx: &mut Context<'_>| {
        let read = |mut socket: &UnixStream| {
            attempts += 1;
            socket.read(&mut [0; 4])
        };
        socket.poll_read_stream(cx, 4, read)
    };
    poll_fn(|cx| {
        assert!(poll_read(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    peer.write_all(&[7; 4]).expect("a write");
    assert_eq!(poll_fn(&mut poll_read).await.expect("a read"), 4);
    let write = |mut socket: &UnixStream| socket.write(&[7]);
    let written = poll_fn(|cx| socket.poll_write_stream(cx, 1, write)).await;
    assert_eq!(written.expect("a write"), 1);
    peer.read_exact(&mut [0]).expect("a read");
    attempts
}

#[test]
fn where_nothing_is_left_behind_full_reads_most_messages_take_one_attempt() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let (socket, mut peer) = UnixStream::pair().expect("a pair");
        socket.set_nonblocking(true).expect("a setting");
        let socket = Registered::new(socket, Initial::NotReady).expect("a source");
        // A machine that stands still for some ticks makes for attempts in vain. That is not so for ever.
        let (mut in_a_row, mut messages) = (0, 0);
        while in_a_row < 15 {
            in_a_row = match attempts(&socket, &mut peer).await {
                1 => in_a_row + 1,
                _ => 0,
            };
            messages += 1;
            assert!(messages < 100_000, "each message takes an attempt in vain");
        }
    });
}
