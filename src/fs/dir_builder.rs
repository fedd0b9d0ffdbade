//! Making folders with choices.

use crate::desk::on_pool;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes folders; with those above them, or with a mode, if wanted.
///
/// | choice | default |
/// |---|---|
/// | [`recursive`](Self::recursive) | no |
/// | [`mode`](Self::mode) | `0o777`, less the process's mask |
///
/// # Examples
///
/// ```
/// use gristmill::fs::{self, DirBuilder};
///
/// # let folder = std::env::temp_dir().join(format!("gristmill-doc-builder-{}", std::process::id()));
/// gristmill::run(async {
///     DirBuilder::new().recursive(true).mode(0o700).create(folder.join("a/b")).await?;
///     fs::remove_dir_all(&folder).await
/// })
/// # .unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct DirBuilder {
    recursive: bool,
    mode: u32,
}

impl DirBuilder {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            recursive: false,
            mode: 0o777,
        }
    }

    /// Whether folders above are made too, and one that exists is no error.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.recursive = recursive;
        self
    }

    /// The permissions of what is made, less the process's mask.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = mode;
        self
    }

    /// Makes the folder.
    ///
    /// # Errors
    ///
    /// As [`std::fs::DirBuilder::create`]; and [those of every operation here](crate::fs#errors).
    ///
    /// # Cancel safety
    ///
    /// Once it has been polled it is carried to its end, whether or not it is awaited so far.
    pub async fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref().to_owned();
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(self.recursive).mode(self.mode);
        on_pool(move || builder.create(path)).await
    }
}

impl Default for DirBuilder {
    fn default() -> Self {
        Self::new()
    }
}
