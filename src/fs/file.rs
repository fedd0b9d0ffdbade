//! An open file: opening it, and what is done to it other than by reading and writing.

use super::OpenOptions;
use crate::desk::{Desk, Scope};
use std::fmt;
use std::fs::{Metadata, Permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;

/// How many bytes one job reads or writes at most, unless set otherwise.
const MAX_BUF_SIZE: usize = 2 * 1024 * 1024;

/// An open file, read, written and sought in through [`AsyncReadExt`](crate::io::AsyncReadExt),
/// [`AsyncWriteExt`](crate::io::AsyncWriteExt) and [`AsyncSeekExt`](crate::io::AsyncSeekExt).
///
/// # Buffers
///
/// A read that finds nothing has up to 64 KiB read, or as much as it asks for if that is more; the next ones are served from memory
/// until that is used up. While there is more, more is read ahead, up to 512 KiB. What was read ahead is not seen to change:
/// seek, even to where you are, to look anew. A write is done when its bytes are taken: a job hands them to the operating system at once, and with them
/// what is written meanwhile. So many small reads or writes take few jobs. At most twice
/// [`set_max_buf_size`](Self::set_max_buf_size) bytes, 2 MiB by default, are held.
///
/// A write that fails therefore says so later: to the next write, flush, close, seek, [`sync_all`](Self::sync_all),
/// [`sync_data`](Self::sync_data), [`set_len`](Self::set_len) or [`try_clone`](Self::try_clone), whichever comes first. What was
/// taken after the bytes that failed is not written.
/// **Flush before the last handle goes**: a drop writes all that was taken, even while the runtime shuts down, but has nobody to
/// tell if that fails. And flush before you look at the file by other means. [`sync_all`](Self::sync_all) includes a flush.
///
/// # Cancel safety
///
/// * A read that is dropped loses nothing: what its job finds goes to the next read.
/// * A write that is dropped before it is done has taken nothing; afterwards it will be made. `write_all` may stop in between.
/// * A seek that is dropped may or may not take place. Seek again before you go on.
/// * Other operations, once polled, may be carried to their end.
///
/// # Examples
///
/// ```
/// use gristmill::fs::{self, File};
/// use gristmill::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};
///
/// # let path = std::env::temp_dir().join(format!("gristmill-doc-file-{}", std::process::id()));
/// gristmill::run(async {
///     let mut file = File::options().read(true).write(true).create(true).open(&path).await?;
///     file.write_all(b"hello, world").await?;
///     file.seek(SeekFrom::Start(7)).await?;
///     let mut text = String::new();
///     file.read_to_string(&mut text).await?;
///     assert_eq!(text, "world");
///     file.flush().await?;
///     fs::remove_file(&path).await
/// })
/// # .unwrap();
/// ```
pub struct File {
    pub(super) desk: Desk<std::fs::File>,
    pub(super) max_buf_size: usize,
}

impl File {
    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// As [`std::fs::File::open`]; and [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is changed.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::options().read(true).open(path).await
    }

    /// Opens a file to write it; empties one that exists, makes one that does not.
    ///
    /// # Errors
    ///
    /// As [`std::fs::File::create`]; and [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Once it has been polled it is carried to its end, whether or not it is awaited so far.
    pub async fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = Self::options();
        options.write(true).create(true).truncate(true);
        options.open(path).await
    }

    /// Makes a file to read and write it; one that exists is an error.
    ///
    /// # Errors
    ///
    /// As [`std::fs::File::create_new`]; and [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Once it has been polled it is carried to its end, whether or not it is awaited so far.
    pub async fn create_new(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = Self::options();
        options.read(true).write(true).create_new(true);
        options.open(path).await
    }

    /// Choices of how to open a file; the same as [`OpenOptions::new`].
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Takes a file of the standard library over, with its cursor. It stays blocking.
    pub fn from_std(file: std::fs::File) -> Self {
        Self {
            desk: Desk::new(file),
            max_buf_size: MAX_BUF_SIZE,
        }
    }

    /// Gives the file away once nothing is under way, with the cursor where reads and writes have left it.
    ///
    /// An earlier write that failed is not told: flush first.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the file is closed.
    pub async fn into_std(self) -> std::fs::File {
        self.desk.into_device().await
    }

    /// Gives the file away, with the cursor where reads and writes have left it, if nothing is under way.
    ///
    /// An earlier write that failed is not told: flush first.
    ///
    /// # Errors
    ///
    /// Gives this back if a job works on the file.
    pub fn try_into_std(self) -> Result<std::fs::File, Self> {
        let max_buf_size = self.max_buf_size;
        self.desk
            .try_into_device()
            .map_err(|desk| Self { desk, max_buf_size })
    }

    /// Has all that was written put on the disk, with what is known of the file.
    ///
    /// # Errors
    ///
    /// Why an earlier write failed, and then nothing more is done; or as [`std::fs::File::sync_all`]. And
    /// [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, but that an error may be lost. May be carried to its end.
    #[doc(alias = "fsync")]
    pub async fn sync_all(&self) -> io::Result<()> {
        self.desk
            .call(Scope::Content, std::fs::File::sync_all)
            .await
    }

    /// As [`sync_all`](Self::sync_all), but of what is known of the file only what is needed to read it.
    ///
    /// # Errors
    ///
    /// As [`sync_all`](Self::sync_all).
    ///
    /// # Cancel safety
    ///
    /// As [`sync_all`](Self::sync_all).
    #[doc(alias = "fdatasync")]
    pub async fn sync_data(&self) -> io::Result<()> {
        self.desk
            .call(Scope::Content, std::fs::File::sync_data)
            .await
    }

    /// Cuts the file to `size` bytes, or fills it up with zeroes. The cursor stays where it is.
    ///
    /// # Errors
    ///
    /// Why an earlier write failed, and then nothing more is done; or as [`std::fs::File::set_len`]. And
    /// [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// May be carried to its end.
    #[doc(alias = "truncate")]
    pub async fn set_len(&self, size: u64) -> io::Result<()> {
        self.desk
            .call(Scope::Content, move |file| file.set_len(size))
            .await
    }

    /// What is known of the file, with all earlier writes.
    ///
    /// # Errors
    ///
    /// As [`std::fs::File::metadata`]; and [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is changed.
    #[doc(alias = "fstat")]
    pub async fn metadata(&self) -> io::Result<Metadata> {
        self.desk.call(Scope::Beside, std::fs::File::metadata).await
    }

    /// Sets the file's permissions.
    ///
    /// # Errors
    ///
    /// As [`std::fs::File::set_permissions`]; and [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// May be carried to its end.
    pub async fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        let work = move |file: &std::fs::File| file.set_permissions(permissions);
        self.desk.call(Scope::Beside, work).await
    }

    /// One more handle for the same open file.
    ///
    /// The two share one cursor, and each has buffers of its own: a handle that reads ahead takes the cursor along. Use one at a
    /// time, or open the file twice.
    ///
    /// # Errors
    ///
    /// Why an earlier write failed, and then nothing more is done; or as [`std::fs::File::try_clone`]. And
    /// [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, but that an error may be lost.
    #[doc(alias = "dup")]
    pub async fn try_clone(&self) -> io::Result<Self> {
        let file = self
            .desk
            .call(Scope::Content, std::fs::File::try_clone)
            .await?;
        Ok(Self {
            desk: Desk::new(file),
            max_buf_size: self.max_buf_size,
        })
    }

    /// Sets how many bytes one job reads or writes at most; 2 MiB by default.
    ///
    /// A write of this many bytes or fewer is taken whole.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    #[track_caller]
    pub fn set_max_buf_size(&mut self, size: usize) {
        assert!(
            size > 0,
            "set_max_buf_size(0): a file needs room for at least 1 byte"
        );
        self.max_buf_size = size;
    }

    /// How many bytes one job reads or writes at most.
    pub fn max_buf_size(&self) -> usize {
        self.max_buf_size
    }
}

impl From<std::fs::File> for File {
    fn from(file: std::fs::File) -> Self {
        Self::from_std(file)
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.desk.device().as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.desk.device().as_raw_fd()
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("File").field(self.desk.device()).finish()
    }
}
