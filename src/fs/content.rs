//! Whole files at once, each in one job.

use crate::desk::{ask_pool, on_pool};
use std::io;
use std::path::Path;

/// Reads a whole file.
///
/// # Examples
///
/// ```
/// gristmill::run(async {
///     let manifest = gristmill::fs::read("Cargo.toml").await?;
///     assert!(!manifest.is_empty());
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// As [`std::fs::read`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Cancel safe: nothing is changed. A job that has begun is finished, and forgotten.
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref().to_owned();
    ask_pool(move || std::fs::read(path)).await
}

/// Reads a whole file as UTF-8.
///
/// # Errors
///
/// As [`std::fs::read_to_string`], so `InvalidData` if the file is no UTF-8; and
/// [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Cancel safe: nothing is changed. A job that has begun is finished, and forgotten.
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref().to_owned();
    ask_pool(move || std::fs::read_to_string(path)).await
}

/// Makes a file hold these bytes and no others; makes the file if there is none.
///
/// The bytes are copied once, to go to another thread.
///
/// # Errors
///
/// As [`std::fs::write`]; the file may then hold some of the bytes. And [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled the whole write is made, whether or not it is awaited to the end.
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    let contents = contents.as_ref().to_owned();
    on_pool(move || std::fs::write(path, contents)).await
}

/// Copies a file's bytes and permissions, over whatever `to` was; tells how many bytes.
///
/// # Errors
///
/// As [`std::fs::copy`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled the whole copy is made, whether or not it is awaited to the end.
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    on_pool(move || std::fs::copy(from, to)).await
}
