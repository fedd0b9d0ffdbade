//! Accepting connections when there are no descriptors, and when there are some again.
//!
//! ```text
//!   16 clients, connected before      ─ message ─ message ─ message ─ message ─ message ─      none may fail
//!   the limit of this process                │ all used up            │ freed
//!   8 sockets, made before                   │ connect, write         │ … answers of all
//!   accept loop                              │ error, 10 ms, error …  │ serves
//!                                                                     ^─── measured ───^
//! ```

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

use crate::measure::{Effort, Latency, Sample, Usage, Window};
use crate::peer::Peer;
use crate::scenarios::mixed::{CLIENTS, paced};
use crate::scenarios::tcp::{MESSAGE, connect, round_trip, send_back};

/// Connections that come when nothing is left.
const NEWCOMERS: usize = 8;
/// Descriptors that this process may have from then on.
const LIMIT: u64 = 256;
/// How long nothing is left.
const EXHAUSTED: Duration = Duration::from_millis(300);
/// What the accept loop waits after an error, as its documentation asks for.
const RETRY: Duration = Duration::from_millis(10);
/// Longer than any of them has to wait for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn freed<P: Peer>(_effort: Effort) -> Sample {
    P::run(async {
        let usage = Usage::now();
        let address = serve::<P>().await.expect("the server starts");
        let window = Window::new();
        let mut clients = Vec::with_capacity(CLIENTS);
        for n in 0..CLIENTS {
            let stream = answered::<P>(address).await.expect("there are descriptors");
            clients.push(P::spawn(paced::<P>(stream, n, Arc::clone(&window))));
        }
        let timing = window.start_for(Duration::from_millis(50), 2 * EXHAUSTED);
        let (told, served) = oneshot::channel();
        thread::spawn(move || told.send(exhaust(address)));
        let served = served.await.expect("the thread does not fail");
        let served = served.expect("newcomers are served in the end");
        let mut times = Vec::new();
        for client in clients {
            // It panics if its connection fails.
            times.extend(P::join(client).await);
        }
        let (wall_ns, _) = timing.stop();
        Sample {
            value: served.as_nanos() as f64,
            ops: times.len() as u64,
            wall_ns,
            cpu_ns: usage.cpu_ns_since(),
            latency: Some(Latency::of(&mut times)),
            ideal: None,
        }
    })
}

/// A connection that has had an answer, so it has been accepted.
async fn answered<P: Peer>(address: SocketAddr) -> io::Result<P::Stream> {
    let mut stream = connect::<P>(address).await?;
    round_trip::<P>(&mut stream, &[7; MESSAGE]).await?;
    Ok(stream)
}

/// A server that sends back what it gets, and goes on after errors.
async fn serve<P: Peer>() -> io::Result<SocketAddr> {
    let (listener, address) = P::listen().await?;
    P::spawn_detached(async move {
        loop {
            match P::accept(&listener).await {
                Ok(stream) => P::spawn_detached(async move {
                    let _ = send_back::<P>(stream).await;
                }),
                Err(_) => {
                    P::sleep(RETRY).await;
                }
            }
        }
    });
    Ok(address)
}

/// Uses up all descriptors, connects, and frees them; how long the last newcomer then waits for its answer.
fn exhaust(address: SocketAddr) -> io::Result<Duration> {
    let newcomers: Vec<_> = (0..NEWCOMERS)
        .map(|_| Socket::new(Domain::IPV4, Type::STREAM, None))
        .collect::<io::Result<_>>()?;
    debug_assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, LIMIT, hard)?;
    let mut all = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        all.push(file);
    }
    // Nor is there one that somebody closes meanwhile.
    setrlimit(Resource::RLIMIT_NOFILE, 0, hard)?;
    let mut newcomers = newcomers
        .into_iter()
        .map(|socket| {
            // The system completes the connection; it waits to be accepted.
            socket.connect(&address.into())?;
            let mut stream = TcpStream::from(socket);
            stream.write_all(&[7; MESSAGE])?;
            Ok(stream)
        })
        .collect::<io::Result<Vec<_>>>()?;
    thread::sleep(EXHAUSTED);
    for stream in &mut newcomers {
        stream.set_nonblocking(true)?;
        if stream.read(&mut [0; MESSAGE]).is_ok() {
            return Err(io::Error::other("served without a descriptor"));
        }
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
    }
    let start = Instant::now();
    drop(all);
    setrlimit(Resource::RLIMIT_NOFILE, LIMIT, hard)?;
    for stream in &mut newcomers {
        stream.read_exact(&mut [0; MESSAGE])?;
    }
    Ok(start.elapsed())
}
