//! One name in a folder.

use crate::desk::ask_pool;
use std::ffi::OsString;
use std::fmt;
use std::fs::{FileType, Metadata};
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::PathBuf;
use std::sync::Arc;

/// One name in a folder; made by [`ReadDir`](super::ReadDir).
pub struct DirEntry {
    /// Shared with the job that asks for more.
    entry: Arc<std::fs::DirEntry>,
    /// What the folder itself says, or the job that read it has asked.
    file_type: Option<FileType>,
}

impl DirEntry {
    /// Takes an entry over, on a thread that may block.
    pub(super) fn new(entry: std::fs::DirEntry) -> Self {
        let file_type = entry.file_type().ok();
        Self {
            entry: Arc::new(entry),
            file_type,
        }
    }

    /// The folder's path, as it was given to [`read_dir`](super::read_dir()), with the name.
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// The name alone.
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }

    /// The number of the file on its file system.
    pub fn ino(&self) -> u64 {
        self.entry.ino()
    }

    /// What is known of the file; of a symbolic link, not of where it leads.
    ///
    /// # Errors
    ///
    /// As [`std::fs::DirEntry::metadata`]; and [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is changed.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let entry = Arc::clone(&self.entry);
        ask_pool(move || entry.metadata()).await
    }

    /// Whether it is a file, a folder or a link; costs nothing, because the folder said so when it was read.
    ///
    /// # Errors
    ///
    /// As [`std::fs::DirEntry::file_type`], if the folder could not say.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is changed.
    pub async fn file_type(&self) -> io::Result<FileType> {
        if let Some(known) = self.file_type {
            return Ok(known);
        }
        let entry = Arc::clone(&self.entry);
        ask_pool(move || entry.file_type()).await
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}
