//! Child processes: starting them, talking to them through pipes, waiting for their end.
//!
//! ```text
//!   Command ──spawn──▶ Child ── stdin, stdout, stderr: pipes on the reactor
//!                        │
//!                     Running ── exit: a pidfd on the reactor where the kernel has it, else SIGCHLD
//!                        │
//!                  dropped unwaited ──▶ orphans: waited for behind the scenes, so that no zombie stays
//! ```
//!
//! * [`Command`] — what to start, and how; the same methods as [`std::process::Command`]
//! * [`Child`] — a child that was started
//! * [`ChildStdin`], [`ChildStdout`], [`ChildStderr`] — the ends of its pipes
//!
//! A child that is dropped runs on, unless [`Command::kill_on_drop`] says otherwise; either way it is reaped when it ends, also
//! after its runtime has shut down.
//!
//! # Examples
//!
//! ```
//! use gristmill::process::Command;
//!
//! gristmill::run(async {
//!     let output = Command::new("echo").arg("hello").output().await?;
//!     assert!(output.status.success());
//!     assert_eq!(output.stdout, b"hello\n");
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

mod stdio;

mod exit;
mod orphans;

mod running;

mod child;
mod command;

pub use child::Child;
pub use command::Command;
pub use std::process::{ExitStatus, Output, Stdio};
pub use stdio::{ChildStderr, ChildStdin, ChildStdout};
