//! More names for a file.

use crate::desk::{ask_pool, on_pool};
use std::io;
use std::path::{Path, PathBuf};

/// Gives a file one more name, of equal right.
///
/// # Errors
///
/// As [`std::fs::hard_link`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    on_pool(move || std::fs::hard_link(original, link)).await
}

/// Makes a symbolic link, which need not lead anywhere.
///
/// # Errors
///
/// As [`std::os::unix::fs::symlink`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
pub async fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    on_pool(move || std::os::unix::fs::symlink(original, link)).await
}

/// Where a symbolic link leads, as it stands in the link.
///
/// # Errors
///
/// As [`std::fs::read_link`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Cancel safe: nothing is changed.
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    ask_pool(move || std::fs::read_link(path)).await
}
