//! smol: a global executor that every worker runs, as `smol::spawn` has it when `SMOL_THREADS` says how many.

use std::future::{Future, pending};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};
use smol::{Executor, Task, Timer};

use super::{Peer, workers};

/// `smol::Executor` on as many threads as there are workers, each inside `smol::block_on`.
pub(crate) struct Smol;

/// The executor that [`Smol`] spawns on.
fn global() -> &'static Executor<'static> {
    static GLOBAL: OnceLock<Executor<'static>> = OnceLock::new();
    GLOBAL.get_or_init(|| {
        for n in 1..=workers() {
            thread::Builder::new()
                .name(format!("smol-{n}"))
                .spawn(|| smol::block_on(global().run(pending::<()>())))
                .expect("a thread starts");
        }
        Executor::new()
    })
}

impl Peer for Smol {
    type Handle<T: Send + 'static> = Task<T>;
    type Job<T: Send + 'static> = Task<T>;
    type Sleep = Timer;
    type Listener = TcpListener;
    type Stream = TcpStream;

    fn run<F: Future>(main: F) -> F::Output {
        global();
        smol::block_on(main)
    }

    fn spawn<F>(future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        global().spawn(future)
    }

    fn spawn_detached<F: Future<Output = ()> + Send + 'static>(future: F) {
        global().spawn(future).detach();
    }

    fn join<T: Send + 'static>(handle: Task<T>) -> impl Future<Output = T> + Send {
        handle
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        smol::future::yield_now()
    }

    fn sleep(time: Duration) -> Timer {
        Timer::after(time)
    }

    // smol has no `timeout`; this is how its documentation writes one.
    async fn timeout<F: Future + Send>(time: Duration, future: F) -> Option<F::Output>
    where
        F::Output: Send,
    {
        smol::future::or(async { Some(future.await) }, async {
            Timer::after(time).await;
            None
        })
        .await
    }

    fn spawn_blocking<T, F>(work: F) -> Task<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        smol::unblock(work)
    }

    fn join_blocking<T: Send + 'static>(job: Task<T>) -> impl Future<Output = T> + Send {
        job
    }

    fn compute<T, F>(work: F) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        smol::unblock(work)
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
        stream.read(buffer)
    }

    fn write_all<'a>(
        stream: &'a mut TcpStream,
        bytes: &'a [u8],
    ) -> impl Future<Output = io::Result<()>> + Send + 'a {
        stream.write_all(bytes)
    }
}
