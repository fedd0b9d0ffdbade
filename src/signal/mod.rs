//! Ctrl-C and the other signals of the operating system.
//!
//! * [`ctrl_c`] — waits for one Ctrl-C
//! * [`shutdown_signal`] — waits for the request to end, from a terminal or from whoever minds the process
//! * [`Shutdown`] — ends a program in order, once that is requested
//! * [`unix::signal`] — every signal of a kind, as a stream
//!
//! ```text
//!   operating system ──▶ handler: one flag a kind, one byte      (signal-hook, async-signal-safe)
//!                                    │
//!                        thread gristmill-sig, reads the bytes
//!                                    │
//!                        post: who listens for a kind            one a process
//!                         ┌──────────┼──────────┐
//!                      Signal     Signal      CtrlC              of any runtime, or of none
//! ```
//!
//! The listeners of all runtimes share one post; the thread behind it starts with the first listener of the process and
//! sleeps. So it does not matter which runtimes there are, how many, or whether one of them is stuck.
//!
//! # What a listener hears
//!
//! Every listener hears every signal of its kind that comes after it was made. Signals are not counted: several that come before
//! a listener looks are one to it.
//!
//! # What happens when nobody listens
//!
//! What would have happened without this module: when the last listener of a kind is dropped, the default action of the operating
//! system is back, which for most kinds ends the process. It is done inside of the handler, so it needs no thread that is
//! not stuck. There are two exceptions. If the signal was ignored before the first listener came, as under `nohup`, it is ignored
//! again; and if another library handled it before, that library still does. This is known on Linux; elsewhere the default action
//! is assumed. And a real-time signal for which nobody listens any more is ignored.
//!
//! # A second Ctrl-C ends a hung program
//!
//! * After [`ctrl_c`] has answered, nobody listens any more: the next Ctrl-C ends the process at once, however stuck it is.
//! * A program that is stuck before it takes its first Ctrl-C cannot answer: if all that listen are futures of [`ctrl_c`]
//!   and [`shutdown_signal`] or a [`Shutdown`], and none has taken a Ctrl-C for a second, the next one ends the process.
//! * A listener made by [`unix::signal`] says that the program wants every Ctrl-C for itself. It gets them.
//!
//! # Examples
//!
//! ```no_run
//! use gristmill::signal;
//!
//! gristmill::run(async {
//!     println!("Ctrl-C to end");
//!     signal::ctrl_c().await?;
//!     println!("ending; a second Ctrl-C ends at once");
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

mod kind;

mod before;
mod post;

mod listener;
mod once;

mod shutdown;

pub mod unix;

pub use once::{CtrlC, ShutdownSignal, ctrl_c, shutdown_signal};
pub use shutdown::{Report, Shutdown};
