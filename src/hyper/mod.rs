//! What the HTTP library hyper, version 1, asks of a runtime.
//!
//! | hyper | here |
//! |---|---|
//! | [`Read`](hyper::rt::Read), [`Write`](hyper::rt::Write) | [`HyperIo`], around any stream |
//! | [`Executor`](hyper::rt::Executor) | [`HyperExecutor`], which spawns tasks |
//! | [`Timer`](hyper::rt::Timer), [`Sleep`](hyper::rt::Sleep) | [`HyperTimer`], which knows the paused clock of tests |
//!
//! Needs the feature `hyper`. It brings hyper without its client and server, which are up to you:
//!
//! ```toml
//! gristmill = { version = "0.1", features = ["hyper"] }
//! hyper = { version = "1", default-features = false, features = ["server", "client", "http1"] }
//! ```
//!
//! hyper depends on the crate `tokio` for a channel (`sync`): no runtime, no reactor and no thread of it comes along.
//!
//! The example `http` is a server and a client on one runtime.

mod executor;
mod io;
mod timer;

pub use executor::HyperExecutor;
pub use io::HyperIo;
pub use timer::HyperTimer;
