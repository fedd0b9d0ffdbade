//! Errors of `accept`: whoever asked is told, a server waits and goes on, and no connection is lost meanwhile.
//!
//! Limits are the process's, so each test that sets one runs in a process of its own.
#![cfg(target_os = "linux")]

mod common;
mod shortage;
mod wire;

use common::{Count, CountingWaker, Flavour, in_own_process, on_each, with_each, within};
use futures_lite::StreamExt;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::protocol::{Address, Listener, Protocol, Server, Transport, serve};
use gristmill::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use gristmill::time::{Duration, Instant, sleep};
use rustix::io::Errno;
use rustix::net::Shutdown;
use shortage::out_of_descriptors;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use wire::{echo, fresh_path};

#[derive(Default)]
struct Echo(Option<Transport>);

impl Protocol for Echo {
    fn connection_made(&mut self, transport: Transport) {
        self.0 = Some(transport);
    }
    fn data_received(&mut self, data: &[u8]) {
        if let Some(transport) = &self.0 {
            transport.write(data);
        }
    }
}

async fn assert_echo(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.expect("a write");
    let mut echo = vec![0; bytes.len()];
    stream.read_exact(&mut echo).await.expect("the echo");
    assert!(echo == bytes);
}

/// The ways to write a server.
#[derive(Clone, Copy, Debug)]
enum Way {
    Accept,
    Incoming,
    Protocol,
}

/// Starts a server that sends back what comes, and counts the errors of its listener.
fn start(way: Way, listener: TcpListener, errors: Count) -> Option<Server> {
    match way {
        Way::Accept => drop(gristmill::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(gristmill::spawn(echo(stream))),
                    Err(_) => {
                        errors.add();
                        sleep(Duration::from_millis(1)).await;
                    }
                }
            }
        })),
        Way::Incoming => drop(gristmill::spawn(async move {
            let mut incoming = listener.incoming();
            while let Some(connection) = incoming.next().await {
                match connection {
                    Ok(stream) => drop(gristmill::spawn(echo(stream))),
                    Err(_) => errors.add(),
                }
            }
        })),
        Way::Protocol => return Some(serve(Counting(listener, errors), Echo::default)),
    }
    None
}

/// A listener that counts its errors.
struct Counting(TcpListener, Count);

impl Listener for Counting {
    type Stream = TcpStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let outcome = Listener::poll_accept(&mut self.0, cx);
        if let Poll::Ready(Err(_)) = &outcome {
            self.1.add();
        }
        outcome
    }

    fn local_addr(&self) -> Address {
        Listener::local_addr(&self.0)
    }
}

async fn clients_through_a_shortage(way: Way) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let errors = Count::default();
    let _server = start(way, listener, errors.clone());
    let mut friend = TcpStream::connect(address).await.expect("a connection");
    assert_echo(&mut friend, b"before").await;

    // These need a descriptor now, and none to connect.
    let sockets: Vec<_> = (0..20).map(|_| TcpSocket::new_v4()).collect();
    let shortage = out_of_descriptors();
    let mut clients = Vec::new();
    for socket in sockets {
        let connected = socket.expect("a socket").connect(address).await;
        clients.push(connected.expect("in the queue of the operating system"));
    }
    while errors.get() < 3 {
        assert_echo(&mut friend, b"meanwhile").await;
    }
    drop(shortage);
    for client in &mut clients {
        assert_echo(client, b"after").await;
    }
    assert_echo(&mut friend, b"after").await;
}

#[test]
fn without_descriptors_connections_wait_and_with_some_all_are_served() {
    in_own_process(
        "without_descriptors_connections_wait_and_with_some_all_are_served",
        || {
            for way in [Way::Accept, Way::Incoming, Way::Protocol] {
                with_each_saying(way, |runtime, way| {
                    runtime.block_on(clients_through_a_shortage(way));
                });
            }
        },
    );
}

/// Runs the test on each flavour.
fn with_each_saying(way: Way, test: fn(&gristmill::runtime::Runtime, Way)) {
    for flavour in common::FLAVOURS {
        within(format!("{way:?}, {flavour:?}"), move || {
            test(&flavour.runtime(), way);
        });
    }
}

#[test]
fn an_error_leaves_the_connection_to_the_next_call_though_no_event_comes() {
    in_own_process(
        "an_error_leaves_the_connection_to_the_next_call_though_no_event_comes",
        || {
            on_each(|runtime| {
                runtime.block_on(async {
                    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
                    let address = listener.local_addr().expect("an address");
                    let client = TcpSocket::new_v4().expect("a socket");
                    let waker = CountingWaker::new();
                    {
                        let mut accepting = pin!(listener.accept());
                        assert!(waker.poll(&mut accepting).is_pending());
                        let shortage = out_of_descriptors();
                        let _client = client.connect(address).await.expect("in the queue");
                        // The one event.
                        while waker.wakes() == 0 {
                            gristmill::task::yield_now().await;
                        }
                        let Poll::Ready(Err(error)) = waker.poll(&mut accepting) else {
                            panic!("no descriptor was to be had");
                        };
                        assert_eq!(Errno::from_io_error(&error), Some(Errno::MFILE));
                        for _ in 0..3 {
                            let error = listener.accept().await.expect_err("the same again");
                            assert_eq!(Errno::from_io_error(&error), Some(Errno::MFILE));
                        }
                        drop(shortage);
                    }
                    listener.accept().await.expect("the one that waited");
                });
            });
        },
    );
}

#[test]
fn connections_of_unix_sockets_wait_for_descriptors_too() {
    in_own_process(
        "connections_of_unix_sockets_wait_for_descriptors_too",
        || {
            on_each(|runtime| {
                runtime.block_on(async {
                    let path = fresh_path();
                    let listener = UnixListener::bind(&path).expect("free");
                    let waiting = UnixStream::connect(&path).await.expect("in the queue");
                    let shortage = out_of_descriptors();
                    let error = listener.accept().await.expect_err("no descriptor");
                    assert_eq!(Errno::from_io_error(&error), Some(Errno::MFILE));
                    let mut incoming = listener.incoming();
                    let again = incoming.next().await.expect("it does not end");
                    assert!(again.is_err());
                    drop(shortage);
                    let served = incoming.next().await.expect("it does not end");
                    let mut served = served.expect("the one that waited");
                    served.write_all(b"late").await.expect("a write");
                    let mut text = [0; 4];
                    (&waiting).read_exact(&mut text).await.expect("a read");
                    std::fs::remove_file(path).expect("it is there");
                });
            });
        },
    );
}

#[test]
fn without_descriptors_a_stream_of_connections_does_not_spin() {
    in_own_process(
        "without_descriptors_a_stream_of_connections_does_not_spin",
        || {
            within("spinning", || {
                let paused = Flavour::CurrentThread.builder().start_paused(true);
                let runtime = paused.build().expect("a runtime");
                runtime.block_on(async {
                    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
                    let address = listener.local_addr().expect("an address");
                    let _client = TcpStream::connect(address).await.expect("in the queue");
                    let shortage = out_of_descriptors();
                    let begin = Instant::now();
                    let mut incoming = listener.incoming();
                    let mut times = Vec::new();
                    for _ in 0..7 {
                        let item = incoming.next().await.expect("it does not end");
                        assert!(item.is_err());
                        times.push(begin.elapsed().as_millis());
                    }
                    assert_eq!(times, [0, 5, 15, 35, 75, 125, 175]);
                    drop(shortage);
                    let item = incoming.next().await.expect("it does not end");
                    assert!(item.is_ok());
                    assert_eq!(begin.elapsed().as_millis(), 225);
                });
            });
        },
    );
}

/// A listener that does as it is told, and notes when it is asked. At the end nothing comes any more.
struct Scripted {
    script: VecDeque<io::Result<UnixStream>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Scripted {
    fn new(script: impl IntoIterator<Item = io::Result<UnixStream>>) -> Self {
        let script = script.into_iter().collect();
        let asked = Arc::default();
        Self { script, asked }
    }
}

impl Listener for Scripted {
    type Stream = UnixStream;

    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        self.asked.lock().expect("no panic").push(Instant::now());
        self.script.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn local_addr(&self) -> Address {
        Address::from(Err::<std::net::SocketAddr, _>(
            ErrorKind::Unsupported.into(),
        ))
    }
}

/// When a server asks a listener, in milliseconds of a clock that stands still; the last stream of the script is served.
fn asked_at(make: impl FnOnce(UnixStream) -> Scripted + Send + 'static) -> Vec<u128> {
    within("a script", || {
        let paused = Flavour::CurrentThread.builder().start_paused(true);
        let runtime = paused.build().expect("a runtime");
        runtime.block_on(async move {
            let (mut client, stream) = UnixStream::pair().expect("a pair");
            let listener = make(stream);
            let asked = Arc::clone(&listener.asked);
            let begin = Instant::now();
            let _server = serve(listener, Echo::default);
            assert_echo(&mut client, b"served all the same").await;
            sleep(Duration::from_secs(1)).await;
            let asked = asked.lock().expect("no panic");
            asked.iter().map(|at| (*at - begin).as_millis()).collect()
        })
    })
}

#[test]
fn a_server_without_resources_pauses_longer_each_time_and_briefly_again_after_a_success() {
    let times = asked_at(|stream| {
        let errnos = [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOBUFS,
            Errno::NOMEM,
            Errno::PERM,
        ];
        let mut script: Vec<_> = errnos.map(|errno| Err(errno.into())).into();
        // The poller takes no more descriptors.
        script.push(Err(io::Error::new(ErrorKind::StorageFull, "refused")));
        let (_, other) = UnixStream::pair().expect("a pair");
        script.push(Ok(other));
        script.extend([Err(Errno::MFILE.into()), Err(Errno::MFILE.into())]);
        script.push(Ok(stream));
        Scripted::new(script)
    });
    // The last one finds that nothing comes.
    assert_eq!(times, [0, 5, 15, 35, 75, 125, 175, 175, 180, 190, 190]);
}

#[test]
fn a_server_passes_over_connections_that_failed_before_they_were_taken() {
    let times = asked_at(|stream| {
        let errnos = [
            Errno::CONNABORTED,
            Errno::CONNRESET,
            Errno::INTR,
            Errno::PROTO,
            Errno::NOPROTOOPT,
            Errno::NETDOWN,
            Errno::NETUNREACH,
            Errno::HOSTDOWN,
            Errno::HOSTUNREACH,
            Errno::TIMEDOUT,
        ];
        let failed = errnos.map(|errno| Err(errno.into()));
        Scripted::new(failed.into_iter().chain([Ok(stream)]))
    });
    assert_eq!(times, [0; 12]);
}

#[test]
fn a_listener_that_is_broken_is_an_error_and_no_hang() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        runtime.block_on(async {
            let bind = || TcpListener::bind("127.0.0.1:0");
            let listener = bind().await.expect("a listener");
            // For a listener this is the end.
            let other = listener.into_std().expect("plain");
            let same = other.try_clone().expect("a duplicate");
            let listener = TcpListener::from_std(other).expect("registered");
            let accepting = gristmill::spawn(async move { listener.accept().await.map(drop) });
            gristmill::task::yield_now().await;
            rustix::net::shutdown(&same, Shutdown::Read).expect("listening");
            let error = accepting.await.expect("no panic").expect_err("broken");
            assert_eq!(Errno::from_io_error(&error), Some(Errno::INVAL));

            let listener = TcpListener::from_std(same).expect("registered");
            let item = listener.incoming().next().await.expect("it does not end");
            assert!(item.is_err());
            let server = serve(listener, Echo::default);
            let error = server.serve_forever().await.expect_err("broken");
            assert_eq!(Errno::from_io_error(&error), Some(Errno::INVAL));
            server.wait_closed().await;
        });
    });
}
