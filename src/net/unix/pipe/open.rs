//! Opening pipes that have a name.

use super::{Receiver, Sender};
use rustix::fs::OFlags;
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How to open an end of a pipe that has a name (a FIFO, made by `mkfifo`).
///
/// | option | default | what it changes |
/// |---|---|---|
/// | [`read_write`](Self::read_write) | false | the end is open both ways, so the other way is never closed |
/// | [`unchecked`](Self::unchecked) | false | what is opened need not be a pipe |
///
/// # Examples
///
/// ```no_run
/// use gristmill::io::{AsyncReadExt, AsyncWriteExt};
/// use gristmill::net::unix::pipe;
///
/// gristmill::run(async {
///     let mut receiver = pipe::OpenOptions::new().open_receiver("/run/requests")?;
///     let mut sender = pipe::OpenOptions::new().open_sender("/run/requests")?;
///     sender.write_all(b"hello").await?;
///     drop(sender);
///     let mut request = String::new();
///     receiver.read_to_string(&mut request).await?;
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Open for the other way as well.
    #[cfg(target_os = "linux")]
    both_ways: bool,
    /// Take anything that can be opened.
    unchecked: bool,
}

impl OpenOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to open for both ways: a receiver then never reads the end, and a sender needs no receiver to be opened.
    ///
    /// On Linux only: elsewhere what that does to a pipe is undefined.
    #[cfg(target_os = "linux")]
    pub fn read_write(&mut self, both_ways: bool) -> &mut Self {
        self.both_ways = both_ways;
        self
    }

    /// Whether to take what is there without looking whether it is a pipe. Whatever it is must be something that can be
    /// waited for.
    pub fn unchecked(&mut self, unchecked: bool) -> &mut Self {
        self.unchecked = unchecked;
        self
    }

    /// Opens the reading end. Does not wait for a sender: until there is one, reading finds the end.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is something else than a pipe; what opening a file says, such as `NotFound`; or that there is
    /// no runtime on this thread.
    pub fn open_receiver<P: AsRef<Path>>(&self, path: P) -> io::Result<Receiver> {
        let file = self.open(path.as_ref(), fs::OpenOptions::new().read(true))?;
        if self.unchecked {
            Receiver::from_file_unchecked(file)
        } else {
            Receiver::from_file(file)
        }
    }

    /// Opens the writing end.
    ///
    /// # Errors
    ///
    /// That there is no such device or address (`ENXIO`) if nobody has opened the pipe for reading: try again later;
    /// otherwise as of [`open_receiver`](Self::open_receiver).
    pub fn open_sender<P: AsRef<Path>>(&self, path: P) -> io::Result<Sender> {
        let file = self.open(path.as_ref(), fs::OpenOptions::new().write(true))?;
        if self.unchecked {
            Sender::from_file_unchecked(file)
        } else {
            Sender::from_file(file)
        }
    }

    fn open(&self, path: &Path, options: &mut fs::OpenOptions) -> io::Result<fs::File> {
        #[cfg(target_os = "linux")]
        if self.both_ways {
            options.read(true).write(true);
        }
        options
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
    }
}
