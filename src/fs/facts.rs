//! What is known of a file.

use crate::desk::{ask_pool, on_pool};
use std::fs::{Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

/// What is known of a file, or of where a symbolic link leads.
///
/// # Errors
///
/// As [`std::fs::metadata`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Cancel safe: nothing is changed.
#[doc(alias = "stat")]
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    ask_pool(move || std::fs::metadata(path)).await
}

/// What is known of a file, or of a symbolic link itself.
///
/// # Errors
///
/// As [`std::fs::symlink_metadata`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Cancel safe: nothing is changed.
#[doc(alias = "lstat")]
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    ask_pool(move || std::fs::symlink_metadata(path)).await
}

/// Whether there is a file or folder of this name, following links; an error if that cannot be told.
///
/// # Errors
///
/// As [`std::fs::exists`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Cancel safe: nothing is changed.
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let path = path.as_ref().to_owned();
    ask_pool(move || std::fs::exists(path)).await
}

/// The path from the root, without links or dots, of what exists.
///
/// # Errors
///
/// As [`std::fs::canonicalize`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Cancel safe: nothing is changed.
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    ask_pool(move || std::fs::canonicalize(path)).await
}

/// Sets the permissions of a file or folder.
///
/// # Errors
///
/// As [`std::fs::set_permissions`]; and [those of every operation here](crate::fs#errors).
///
/// # Cancel safety
///
/// Once it has been polled it is carried to its end, whether or not it is awaited so far.
pub async fn set_permissions(path: impl AsRef<Path>, permissions: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    on_pool(move || std::fs::set_permissions(path, permissions)).await
}
