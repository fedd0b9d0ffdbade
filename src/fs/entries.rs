//! Making, moving and removing what a folder holds.

use crate::desk::on_pool;
use std::io;
use std::path::Path;

/// Makes a folder in one that exists.
///
/// # Errors
///
/// As [`std::fs::create_dir`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    on_pool(move || std::fs::create_dir(path)).await
}

/// Makes a folder, and those above it that are missing; no error if it exists.
///
/// # Errors
///
/// As [`std::fs::create_dir_all`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    on_pool(move || std::fs::create_dir_all(path)).await
}

/// Removes a file; one that is open stays until it is closed.
///
/// # Errors
///
/// As [`std::fs::remove_file`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
#[doc(alias = "unlink")]
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    on_pool(move || std::fs::remove_file(path)).await
}

/// Removes an empty folder.
///
/// # Errors
///
/// As [`std::fs::remove_dir`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    on_pool(move || std::fs::remove_dir(path)).await
}

/// Removes a folder with all that it holds; follows no links.
///
/// # Errors
///
/// As [`std::fs::remove_dir_all`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    on_pool(move || std::fs::remove_dir_all(path)).await
}

/// Gives a file or folder another name, in the place of a file that has it; on one file system, in one step.
///
/// # Errors
///
/// As [`std::fs::rename`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    on_pool(move || std::fs::rename(from, to)).await
}
