//! How a file is opened.

use super::File;
use crate::desk::on_pool;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How a file is opened; all that [`std::fs::OpenOptions`] offers.
///
/// | choice | default |
/// |---|---|
/// | [`read`](Self::read), [`write`](Self::write), [`append`](Self::append) | no |
/// | [`truncate`](Self::truncate), [`create`](Self::create), [`create_new`](Self::create_new) | no |
/// | [`mode`](Self::mode) | `0o666`, less the process's mask |
/// | [`custom_flags`](Self::custom_flags) | 0 |
///
/// # Examples
///
/// ```
/// use gristmill::fs::{self, OpenOptions};
/// use gristmill::io::AsyncWriteExt;
///
/// # let path = std::env::temp_dir().join(format!("gristmill-doc-options-{}", std::process::id()));
/// gristmill::run(async {
///     let mut log = OpenOptions::new().append(true).create(true).open(&path).await?;
///     log.write_all(b"one more line\n").await?;
///     log.flush().await?;
///     fs::remove_file(&path).await
/// })
/// # .unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions(std::fs::OpenOptions);

impl OpenOptions {
    /// Everything off: at least one kind of access has to be chosen.
    pub fn new() -> Self {
        Self(std::fs::OpenOptions::new())
    }

    /// Whether the file can be read.
    pub fn read(&mut self, read: bool) -> &mut Self {
        self.0.read(read);
        self
    }

    /// Whether the file can be written; over what it holds, unless truncated.
    pub fn write(&mut self, write: bool) -> &mut Self {
        self.0.write(write);
        self
    }

    /// Whether the file can be written, always behind what it then holds.
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.0.append(append);
        self
    }

    /// Whether what the file holds is removed.
    pub fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.0.truncate(truncate);
        self
    }

    /// Whether the file is made if there is none.
    pub fn create(&mut self, create: bool) -> &mut Self {
        self.0.create(create);
        self
    }

    /// Whether the file has to be made: one that exists is an error.
    pub fn create_new(&mut self, create_new: bool) -> &mut Self {
        self.0.create_new(create_new);
        self
    }

    /// The permissions of a file that is made, less the process's mask.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.0.mode(mode);
        self
    }

    /// More flags of `open`, such as `O_NOFOLLOW`.
    pub fn custom_flags(&mut self, flags: i32) -> &mut Self {
        self.0.custom_flags(flags);
        self
    }

    /// Opens the file.
    ///
    /// # Errors
    ///
    /// As [`std::fs::OpenOptions::open`]: `InvalidInput` if the choices make no sense together. And
    /// [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Once it has been polled the file is opened, which may make or truncate it, and closed again if nobody waits for it.
    pub async fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let path = path.as_ref().to_owned();
        let options = self.0.clone();
        let file = on_pool(move || options.open(path)).await?;
        Ok(File::from_std(file))
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl From<std::fs::OpenOptions> for OpenOptions {
    fn from(options: std::fs::OpenOptions) -> Self {
        Self(options)
    }
}
