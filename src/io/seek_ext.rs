//! The methods of everything that has a position.

use super::AsyncSeek;
use futures_lite::io::{AsyncSeekExt as Lite, SeekFuture};
use std::io::SeekFrom;

/// The methods of every [`AsyncSeek`].
///
/// # Examples
///
/// ```
/// use gristmill::io::{AsyncSeekExt, Cursor, SeekFrom};
///
/// gristmill::run(async {
///     let mut tape = Cursor::new(vec![0; 100]);
///     assert_eq!(tape.seek(SeekFrom::End(-10)).await?, 90);
///     assert_eq!(tape.stream_position().await?, 90);
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub trait AsyncSeekExt: AsyncSeek {
    /// Moves the position, and gives where it then is, in bytes from the start.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a place before the start, and those of the file or device.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, the position may be either.
    fn seek(&mut self, to: SeekFrom) -> SeekFuture<'_, Self>
    where
        Self: Unpin,
    {
        Lite::seek(self, to)
    }

    /// Moves the position to the start, and gives it: 0.
    ///
    /// # Errors
    ///
    /// Those of the file or device.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, the position may be either.
    fn rewind(&mut self) -> SeekFuture<'_, Self>
    where
        Self: Unpin,
    {
        Lite::seek(self, SeekFrom::Start(0))
    }

    /// Gives the position, in bytes from the start.
    ///
    /// # Errors
    ///
    /// Those of the file or device.
    ///
    /// # Cancel safety
    ///
    /// If dropped, nothing has changed.
    #[doc(alias = "tell")]
    fn stream_position(&mut self) -> SeekFuture<'_, Self>
    where
        Self: Unpin,
    {
        Lite::seek(self, SeekFrom::Current(0))
    }
}

impl<S: AsyncSeek + ?Sized> AsyncSeekExt for S {}
