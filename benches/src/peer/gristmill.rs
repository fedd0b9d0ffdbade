//! gristmill's multi-thread runtime, with and without the watch over stuck workers.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::{TcpListener, TcpStream};
use gristmill::runtime::Builder;
use gristmill::task::JoinHandle;

use super::{Peer, workers};

/// The runtime as it is.
pub(crate) type Gristmill = GristmillAs<Watched>;
/// The runtime without a watch over stuck workers, to see what the watch costs.
pub(crate) type GristmillUnwatched = GristmillAs<Unwatched>;

/// gristmill, set up in the way `W`.
pub(crate) struct GristmillAs<W>(PhantomData<W>);

/// A way to set it up.
pub(crate) trait Way: 'static {
    fn builder() -> Builder;
}

pub(crate) enum Watched {}

impl Way for Watched {
    fn builder() -> Builder {
        Builder::new()
    }
}

pub(crate) enum Unwatched {}

impl Way for Unwatched {
    fn builder() -> Builder {
        Builder::new().stall_threshold(None)
    }
}

impl<W: Way> Peer for GristmillAs<W> {
    type Handle<T: Send + 'static> = JoinHandle<T>;
    type Job<T: Send + 'static> = JoinHandle<T>;
    type Sleep = gristmill::time::Sleep;
    type Listener = TcpListener;
    type Stream = TcpStream;

    fn run<F: Future>(main: F) -> F::Output {
        W::builder()
            .worker_threads(workers())
            .build()
            .expect("the runtime starts")
            .block_on(main)
    }

    fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        gristmill::spawn(future)
    }

    fn spawn_detached<F: Future<Output = ()> + Send + 'static>(future: F) {
        drop(gristmill::spawn(future));
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.await.expect("no task fails")
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        gristmill::task::yield_now()
    }

    fn sleep(time: Duration) -> gristmill::time::Sleep {
        gristmill::time::sleep(time)
    }

    async fn timeout<F: Future + Send>(time: Duration, future: F) -> Option<F::Output>
    where
        F::Output: Send,
    {
        gristmill::time::timeout(time, future).await.ok()
    }

    fn spawn_blocking<T, F>(work: F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        gristmill::spawn_blocking(work)
    }

    async fn join_blocking<T: Send + 'static>(job: JoinHandle<T>) -> T {
        job.await.expect("no job fails")
    }

    async fn compute<T, F>(work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        gristmill::spawn_compute(work).await.expect("no job fails")
    }

    async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        Ok(listener.accept().await?.0)
    }

    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send {
        TcpStream::connect(address)
    }

    fn set_nodelay(stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)
    }

    fn read<'a>(
        stream: &'a mut TcpStream,
        buffer: &'a mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send + 'a {
        AsyncReadExt::read(stream, buffer)
    }

    fn write_all<'a>(
        stream: &'a mut TcpStream,
        bytes: &'a [u8],
    ) -> impl Future<Output = io::Result<()>> + Send + 'a {
        AsyncWriteExt::write_all(stream, bytes)
    }
}
