//! Two streams whose bytes go from each to the other.

use super::{AsyncRead, AsyncWrite};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The size of the buffer of each way, in bytes.
const BUFFER: usize = 8 * 1024;

/// Copies both ways between two streams, until both have ended; tells how many bytes went from `a` to `b` and from `b` to `a`.
///
/// When one stream ends, what is left is written to the other, which is then closed for writing; the other way goes on. Each way
/// holds at most 8 KiB: a slow reader slows the writer down.
///
/// # Errors
///
/// The first error of either stream, which ends both ways.
///
/// # Cancel safety
///
/// Not cancel safe: bytes that were read and not yet written are lost.
///
/// # Examples
///
/// ```no_run
/// use gristmill::io::copy_bidirectional;
/// use gristmill::net::{TcpListener, TcpStream};
///
/// gristmill::run(async {
///     let listener = TcpListener::bind("127.0.0.1:8080").await?;
///     let (mut client, _) = listener.accept().await?;
///     let mut server = TcpStream::connect("127.0.0.1:80").await?;
///     let (sent, received) = copy_bidirectional(&mut client, &mut server).await?;
///     println!("{sent} bytes there, {received} bytes back");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub async fn copy_bidirectional<A, B>(a: &mut A, b: &mut B) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let (mut there, mut back) = (Way::new(), Way::new());
    poll_fn(|cx| {
        // Both ways get their turn, whatever the first one says.
        let outcome = (there.poll(a, b, cx)?, back.poll(b, a, cx)?);
        match outcome {
            (Poll::Ready(there), Poll::Ready(back)) => Poll::Ready(Ok((there, back))),
            _ => Poll::Pending,
        }
    })
    .await
}

/// One of the two ways.
struct Way {
    buffer: Box<[u8]>,
    /// What of the buffer has been read and not been written yet.
    start: usize,
    end: usize,
    /// How many bytes have been written.
    count: u64,
    /// Whether bytes may be held back in the writer.
    unflushed: bool,
    stage: Stage,
}

enum Stage {
    /// The reader has not ended.
    Copying,
    /// The reader has ended, and everything is written.
    Closing,
    Closed,
}

impl Way {
    fn new() -> Self {
        Self {
            buffer: vec![0; BUFFER].into(),
            start: 0,
            end: 0,
            count: 0,
            unflushed: false,
            stage: Stage::Copying,
        }
    }

    fn poll<R, W>(
        &mut self,
        reader: &mut R,
        writer: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<u64>>
    where
        R: AsyncRead + Unpin + ?Sized,
        W: AsyncWrite + Unpin + ?Sized,
    {
        loop {
            match self.stage {
                Stage::Copying if self.start < self.end => {
                    ready!(self.poll_write(writer, cx))?;
                }
                Stage::Copying => ready!(self.poll_fill(reader, writer, cx))?,
                Stage::Closing => {
                    ready!(Pin::new(&mut *writer).poll_close(cx))?;
                    self.stage = Stage::Closed;
                }
                Stage::Closed => return Poll::Ready(Ok(self.count)),
            }
        }
    }

    /// Fills the empty buffer, or learns that the reader has ended.
    fn poll_fill<R, W>(
        &mut self,
        reader: &mut R,
        writer: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin + ?Sized,
        W: AsyncWrite + Unpin + ?Sized,
    {
        let read = Pin::new(reader).poll_read(cx, &mut self.buffer)?;
        let Poll::Ready(count) = read else {
            // Nothing comes for now: let the peer have what there was.
            if self.unflushed {
                ready!(Pin::new(writer).poll_flush(cx))?;
                self.unflushed = false;
            }
            return Poll::Pending;
        };
        (self.start, self.end) = (0, count);
        if count == 0 {
            self.stage = Stage::Closing;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write<W>(&mut self, writer: &mut W, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        W: AsyncWrite + Unpin + ?Sized,
    {
        let left = &self.buffer[self.start..self.end];
        let count = ready!(Pin::new(writer).poll_write(cx, left))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.start += count;
        self.count += count as u64;
        self.unflushed = true;
        Poll::Ready(Ok(()))
    }
}
