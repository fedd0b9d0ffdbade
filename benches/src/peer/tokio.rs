//! tokio, in the three ways that people run it.
//!
//! They differ in how the runtime is built and in where computing goes; the calls are the same.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_channel::oneshot;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::JoinHandle;

use super::{Peer, workers};

/// The multi-thread runtime; computing goes to `spawn_blocking`.
pub(crate) type Tokio = TokioAs<Alone>;
/// The multi-thread runtime; computing goes to rayon, which has as many threads.
pub(crate) type TokioRayon = TokioAs<WithRayon>;
/// The current-thread runtime, to be started once a core; computing goes to `spawn_blocking`.
pub(crate) type TokioPerCore = TokioAs<OneThread>;

/// tokio, run in the way `W`.
pub(crate) struct TokioAs<W>(PhantomData<W>);

/// A way to run tokio.
pub(crate) trait Way: 'static {
    fn builder() -> Builder;

    fn compute<T, F>(work: F) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        async {
            tokio::task::spawn_blocking(work)
                .await
                .expect("no job fails")
        }
    }
}

pub(crate) enum Alone {}

impl Way for Alone {
    fn builder() -> Builder {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers());
        builder
    }
}

pub(crate) enum WithRayon {}

impl Way for WithRayon {
    fn builder() -> Builder {
        rayon::ThreadPoolBuilder::new()
            .num_threads(workers())
            .build_global()
            .expect("a process builds one pool");
        Alone::builder()
    }

    async fn compute<T, F>(work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (told, done) = oneshot::channel();
        // Nobody listens any more only when the runtime has been dropped.
        rayon::spawn(move || drop(told.send(work())));
        done.await.expect("no job fails")
    }
}

pub(crate) enum OneThread {}

impl Way for OneThread {
    fn builder() -> Builder {
        Builder::new_current_thread()
    }
}

impl<W: Way> Peer for TokioAs<W> {
    type Handle<T: Send + 'static> = JoinHandle<T>;
    type Job<T: Send + 'static> = JoinHandle<T>;
    type Sleep = tokio::time::Sleep;
    type Listener = TcpListener;
    type Stream = TcpStream;

    fn run<F: Future>(main: F) -> F::Output {
        W::builder()
            .enable_all()
            .build()
            .expect("the runtime starts")
            .block_on(main)
    }

    fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(future)
    }

    fn spawn_detached<F: Future<Output = ()> + Send + 'static>(future: F) {
        tokio::spawn(future);
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.await.expect("no task fails")
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        tokio::task::yield_now()
    }

    fn sleep(time: Duration) -> tokio::time::Sleep {
        tokio::time::sleep(time)
    }

    async fn timeout<F: Future + Send>(time: Duration, future: F) -> Option<F::Output>
    where
        F::Output: Send,
    {
        tokio::time::timeout(time, future).await.ok()
    }

    fn spawn_blocking<T, F>(work: F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        tokio::task::spawn_blocking(work)
    }

    async fn join_blocking<T: Send + 'static>(job: JoinHandle<T>) -> T {
        job.await.expect("no job fails")
    }

    fn compute<T, F>(work: F) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        W::compute(work)
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
