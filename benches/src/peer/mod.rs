//! What the scenarios ask of a runtime, and the runtimes that answer.
//!
//! ```text
//!   scenario<P: Peer> ──▶ Gristmill │ Tokio │ Smol │ TokioRayon        everything
//!                         GristmillUnwatched                           what the watch over stuck workers costs
//!                         TokioPerCore                                 one runtime a core: echo
//!   scenarios/apart   ──▶ monoio, rayon, threads, processes            those that have no such functions
//! ```
//!
//! Every function here is the runtime's own call and nothing around it: handles, sleeps and streams are associated types, so
//! that no runtime pays for an adapter. All run as many workers as `workers` says: two, unless a curve asks for others.

mod name;
mod workers;

mod gristmill;
mod smol;
mod tokio;

pub(crate) use self::gristmill::{Gristmill, GristmillUnwatched};
pub(crate) use self::name::Runtime;
pub(crate) use self::smol::Smol;
pub(crate) use self::tokio::{Tokio, TokioPerCore, TokioRayon};
pub(crate) use self::workers::{set_workers, workers};

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

/// A multi-threaded runtime.
pub(crate) trait Peer: 'static {
    /// Joins a task.
    type Handle<T: Send + 'static>: Send;
    /// Joins a blocking job.
    type Job<T: Send + 'static>: Send;
    /// A sleep, as the runtime makes it.
    type Sleep: Future + Send;
    type Listener: Send + Sync + 'static;
    type Stream: AsFd + Send + 'static;

    /// Builds the runtime and runs `main` on this thread, which is no worker.
    fn run<F: Future>(main: F) -> F::Output;

    fn spawn<F>(future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Spawns what nobody will join.
    fn spawn_detached<F: Future<Output = ()> + Send + 'static>(future: F);

    fn join<T: Send + 'static>(handle: Self::Handle<T>) -> impl Future<Output = T> + Send;

    fn yield_now() -> impl Future<Output = ()> + Send;

    fn sleep(time: Duration) -> Self::Sleep;

    /// `None` if `future` took longer than `time`.
    fn timeout<F: Future + Send>(
        time: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send
    where
        F::Output: Send;

    fn spawn_blocking<T, F>(work: F) -> Self::Job<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static;

    fn join_blocking<T: Send + 'static>(job: Self::Job<T>) -> impl Future<Output = T> + Send;

    /// Computes where the runtime, or whoever its users put beside it, has computing done.
    fn compute<T, F>(work: F) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static;

    /// Listens on a free port of the loopback interface.
    fn listen() -> impl Future<Output = io::Result<(Self::Listener, SocketAddr)>> + Send;

    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    fn set_nodelay(stream: &Self::Stream) -> io::Result<()>;

    fn read<'a>(
        stream: &'a mut Self::Stream,
        buffer: &'a mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send + 'a;

    fn write_all<'a>(
        stream: &'a mut Self::Stream,
        bytes: &'a [u8],
    ) -> impl Future<Output = io::Result<()>> + Send + 'a;
}
