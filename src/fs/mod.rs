//! Files and folders.
//!
//! The operating system has no way to wait for a file: a read from a disk blocks its thread. So everything here runs on the
//! runtime's blocking pool, and costs a hand-over to a thread and back, some tens of microseconds. Two things follow:
//!
//! * [`File`] buffers. A small read takes its bytes from what was read ahead, and a small write leaves its bytes to the job that
//!   is writing, so neither waits for a thread each time.
//! * What is many calls in a row is best made one hand-over: [`read`], [`write`](fn@write), [`copy`], or
//!   [`spawn_blocking`](crate::spawn_blocking) around a piece of plain code.
//!
//! A job that reads from a named pipe, a terminal or a device blocks until there is something, and the end of the runtime waits
//! for it: for those, use [`io::Async`](crate::io::Async) around a [`std::fs::File`].
//!
//! An operation that has been polled once is carried to its end, even if its future is dropped then; but for one that changes
//! nothing and that no thread has begun.
//!
//! # Examples
//!
//! ```
//! use gristmill::fs;
//!
//! # let folder = std::env::temp_dir().join(format!("gristmill-doc-{}", std::process::id()));
//! gristmill::run(async {
//!     fs::create_dir_all(&folder).await?;
//!     let path = folder.join("greeting");
//!     fs::write(&path, "hello").await?;
//!     assert_eq!(fs::read_to_string(&path).await?, "hello");
//!     fs::remove_dir_all(&folder).await
//! })
//! # .unwrap();
//! ```
//!
//! # Errors
//!
//! Those of [`std::fs`]. Each operation is also an error if there is no runtime on this thread, if the runtime shuts down before a
//! thread is free for it, or if the operating system refuses a thread.

mod file;
mod file_io;
mod open_options;

mod content;
mod entries;
mod facts;
mod links;

mod dir_builder;
mod dir_entry;
mod read_dir;

pub use content::{copy, read, read_to_string, write};
pub use dir_builder::DirBuilder;
pub use dir_entry::DirEntry;
pub use entries::{create_dir, create_dir_all, remove_dir, remove_dir_all, remove_file, rename};
pub use facts::{canonicalize, metadata, set_permissions, symlink_metadata, try_exists};
pub use file::File;
pub use links::{hard_link, read_link, symlink};
pub use open_options::OpenOptions;
pub use read_dir::{ReadDir, read_dir};
