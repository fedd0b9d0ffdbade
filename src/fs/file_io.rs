//! Reading, writing and seeking in an open file, by the traits that the ecosystem shares.

use super::File;
use crate::desk::Device;
use crate::io::{AsyncRead, AsyncSeek, AsyncWrite};
use std::io::{self, Seek, SeekFrom, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

impl Device for std::fs::File {
    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self;
        file.write_all(bytes)
    }

    fn step_back(&self, by: u64) -> io::Result<()> {
        let by = i64::try_from(by).map_err(io::Error::other)?;
        let mut file = self;
        file.seek(SeekFrom::Current(-by)).map(drop)
    }
}

impl AsyncRead for File {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.desk.poll_read(cx, into, self.max_buf_size)
    }
}

impl AsyncWrite for File {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.desk.poll_write(cx, bytes, self.max_buf_size)
    }

    /// Waits until the operating system has all that was written, and tells how that went.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.desk.poll_flush(cx)
    }

    /// Flushes; the file is closed when the value is dropped.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for File {
    fn poll_seek(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        self.desk.poll_seek(cx, to)
    }
}
