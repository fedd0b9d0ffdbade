//! What is asked of a connection just before its task goes to sleep is not forgotten.

mod callbacks;
mod common;

use callbacks::Recorder;
use common::on_each;
use gristmill::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use gristmill::net::UnixStream;
use gristmill::net::protocol::{Endpoint, Transport, attach};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

/// Something that is asked for through a transport.
type Request = fn(&Transport);

/// A stream in which somebody asks for something as it says that there is nothing to read: after the task has looked for
/// requests, and before it sleeps.
struct Interrupted {
    stream: UnixStream,
    transport: Arc<OnceLock<Transport>>,
    /// Made at the first `Pending` after some bytes have come; the transport is known then.
    request: Option<Request>,
    had_bytes: bool,
}

impl Endpoint for Interrupted {}

impl AsyncRead for Interrupted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        if read.is_ready() {
            this.had_bytes = true;
        } else if this.had_bytes
            && let Some(request) = this.request.take()
        {
            request(this.transport.get().expect("set before the bytes"));
        }
        read
    }
}

impl AsyncWrite for Interrupted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(cx)
    }
}

/// A connection in which that is asked for so late; what its peer then reads first.
async fn first_read_after(request: Request) -> Vec<u8> {
    let (mut peer, stream) = UnixStream::pair().expect("a pair");
    let transport = Arc::new(OnceLock::new());
    let stream = Interrupted {
        stream,
        transport: Arc::clone(&transport),
        request: Some(request),
        had_bytes: false,
    };
    let (recorder, _calls) = Recorder::new();
    let (handle, _) = attach(stream, recorder);
    transport.set(handle).expect("once");
    peer.write_all(b"bytes").await.expect("a write");
    let mut buf = [0; 16];
    let count = peer.read(&mut buf).await.expect("a read");
    buf[..count].to_vec()
}

#[test]
fn a_write_that_comes_as_the_task_goes_to_sleep_is_sent() {
    on_each(|runtime| {
        runtime.block_on(async {
            let sent = first_read_after(|transport| {
                transport.write(b"late");
            });
            assert_eq!(sent.await, b"late");
        });
    });
}

#[test]
fn an_end_that_is_asked_for_as_the_task_goes_to_sleep_comes() {
    on_each(|runtime| {
        runtime.block_on(async {
            let ends: [Request; 3] = [Transport::write_eof, Transport::close, Transport::abort];
            for end in ends {
                assert_eq!(first_read_after(end).await, b"");
            }
        });
    });
}

#[test]
fn reading_that_is_paused_and_resumed_as_the_task_goes_to_sleep_goes_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut peer, stream) = UnixStream::pair().expect("a pair");
            let transport = Arc::new(OnceLock::new());
            let stream = Interrupted {
                stream,
                transport: Arc::clone(&transport),
                request: Some(|transport| {
                    transport.pause_reading();
                    transport.resume_reading();
                }),
                had_bytes: false,
            };
            let (recorder, calls) = Recorder::new();
            let (handle, _) = attach(stream, recorder);
            transport.set(handle).expect("once");
            assert_eq!(calls.next().await, callbacks::Call::Made);
            for round in 0..3 {
                peer.write_all(&[round]).await.expect("a write");
                assert_eq!(calls.data(1).await, [round]);
            }
        });
    });
}
