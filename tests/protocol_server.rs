//! What a server of protocols promises: a protocol for each connection, and an end that leaves none behind.

mod callbacks;
mod common;
#[cfg(target_os = "linux")]
mod shortage;
mod wire;

use callbacks::{Call, Calls, Recorder};
use common::{Count, on_each, silence_panics, with_each};
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::protocol::{Address, Listener, Protocol, Server, Transport, serve};
use gristmill::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use gristmill::runtime::Runtime;
use std::io::ErrorKind;
use std::task::{Context, Poll};
use wire::{fresh_path, pattern};

#[derive(Default)]
struct Echo(Option<Transport>);

impl Protocol for Echo {
    fn connection_made(&mut self, transport: Transport) {
        self.0 = Some(transport);
    }
    fn data_received(&mut self, data: &[u8]) {
        assert_ne!(data, b"panic", "expected");
        if let Some(transport) = &self.0 {
            transport.write(data);
        }
    }
}

/// A server of recorders, and where to take their calls.
async fn recorders() -> (Server, async_channel::Receiver<Calls>) {
    let (give, take) = async_channel::unbounded();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let server = serve(listener, move || {
        let (recorder, calls) = Recorder::new();
        give.try_send(calls).expect("unbounded");
        recorder
    });
    (server, take)
}

async fn client_of(server: &Server) -> TcpStream {
    let address = server.local_addr().ip().expect("TCP");
    TcpStream::connect(address).await.expect("a connection")
}

async fn assert_echo(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, bytes: &[u8]) {
    stream.write_all(bytes).await.expect("a write");
    let mut echo = vec![0; bytes.len()];
    stream.read_exact(&mut echo).await.expect("the echo");
    assert!(echo == bytes);
}

#[test]
fn every_client_has_a_protocol_of_its_own() {
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let server = serve(listener, Echo::default);
            let mut clients = Vec::new();
            for length in 1..=50 {
                let stream = client_of(&server).await;
                clients.push(gristmill::spawn(async move {
                    assert_echo(stream, &pattern(length * 100)).await;
                }));
            }
            for client in clients {
                client.await.expect("the echo");
            }
        });
    });
}

#[test]
fn a_server_on_a_unix_socket_is_a_server() {
    on_each(|runtime| {
        runtime.block_on(async {
            let path = fresh_path();
            let server = serve(UnixListener::bind(&path).expect("free"), Echo::default);
            assert_eq!(server.local_addr().path(), Some(path.as_path()));
            let stream = UnixStream::connect(&path).await.expect("a connection");
            assert_echo(stream, b"hello").await;
            std::fs::remove_file(&path).expect("it is there");
        });
    });
}

#[test]
fn a_closed_server_takes_no_more_and_keeps_what_it_has() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (server, take) = recorders().await;
            let mut client = client_of(&server).await;
            let calls = take.recv().await.expect("a connection");
            assert_eq!(calls.next().await, Call::Made);
            assert!(server.is_serving());
            assert_eq!(server.connections(), 1);

            server.close();
            assert!(!server.is_serving());
            server.serve_forever().await.expect("no error");
            let address = server.local_addr().ip().expect("TCP");
            let error = TcpStream::connect(address).await.expect_err("closed");
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

            client.write_all(b"still here").await.expect("a write");
            assert_eq!(calls.data(10).await, b"still here");
            assert_eq!(server.connections(), 1);

            server.close_clients();
            server.wait_closed().await;
            assert_eq!(calls.rest().await, [Call::Lost(None)]);
            assert_eq!(server.connections(), 0);
            assert_eq!(client.read(&mut [0]).await.expect("the end"), 0);
        });
    });
}

#[test]
fn a_client_that_does_not_read_outlasts_a_close_and_no_abort() {
    struct Flood;

    impl Protocol for Flood {
        fn connection_made(&mut self, transport: Transport) {
            // More than the operating system takes.
            transport.write(&pattern(32_000_000));
        }
        fn data_received(&mut self, _: &[u8]) {}
    }

    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let server = serve(listener, || Flood);
            let mut client = client_of(&server).await;
            client.read_exact(&mut [0]).await.expect("a byte");

            server.close();
            server.close_clients();
            gristmill::task::yield_now().await;
            assert_eq!(server.connections(), 1);

            server.abort_clients();
            server.wait_closed().await;
            assert_eq!(server.connections(), 0);
        });
    });
}

#[test]
fn dropping_a_server_ends_its_connections_and_each_is_told() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (server, take) = recorders().await;
            let mut clients = Vec::new();
            let mut all = Vec::new();
            for _ in 0..10 {
                clients.push(client_of(&server).await);
                let calls = take.recv().await.expect("a connection");
                assert_eq!(calls.next().await, Call::Made);
                all.push(calls);
            }
            drop(server);
            for (calls, mut client) in all.into_iter().zip(clients) {
                assert_eq!(calls.rest().await, [Call::Lost(None)]);
                assert_eq!(client.read(&mut [0]).await.expect("the end"), 0);
            }
            // The factory is gone too, and with it the listener.
            assert!(take.recv().await.is_err());
        });
    });
}

#[test]
fn the_end_of_the_runtime_is_told_to_the_connections_of_a_server() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let (server, _client, calls) = runtime.block_on(async {
            let (server, take) = recorders().await;
            let client = client_of(&server).await;
            let calls = take.recv().await.expect("a connection");
            assert_eq!(calls.next().await, Call::Made);
            (server, client, calls)
        });
        drop(runtime);
        let lost = Call::Lost(Some(ErrorKind::ConnectionAborted));
        assert_eq!(calls.so_far(), [lost]);
        assert_eq!(server.connections(), 0);
        assert!(!server.is_serving());
        drop(server);
    });
}

#[test]
fn a_panic_in_one_connection_leaves_the_others_and_the_server() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let server = serve(listener, Echo::default);
            let other = client_of(&server).await;
            let mut victim = client_of(&server).await;
            victim.write_all(b"panic").await.expect("a write");
            assert_eq!(victim.read(&mut [0]).await.expect("the end"), 0);
            assert_echo(other, b"the same").await;
            assert_echo(client_of(&server).await, b"a new one").await;
        });
    });
}

#[test]
fn a_panic_in_the_factory_ends_the_server_and_reaches_who_waits_for_it() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let server = serve(listener, || -> Echo { panic!("expected: no protocol") });
            let _client = client_of(&server).await;
            let waiting = gristmill::spawn(async move { server.serve_forever().await });
            let error = waiting.await.expect_err("a panic");
            assert!(error.is_panic());
        });
    });
}

/// A listener that counts its errors.
struct Counting(TcpListener, Count);

impl Listener for Counting {
    type Stream = TcpStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<TcpStream>> {
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

/// Descriptors are the process's, so this runs in a process of its own.
#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_a_server_waits_for_some_and_goes_on() {
    use socket2::{Domain, Socket, Type};
    let own_name = "without_descriptors_a_server_waits_for_some_and_goes_on";
    let test: fn(&Runtime) = |runtime| {
        runtime.block_on(async {
            let errors = Count::default();
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let server = serve(Counting(listener, errors.clone()), Echo::default);
            let address = server.local_addr().ip().expect("TCP");
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            let shortage = shortage::out_of_descriptors();
            // It stays in the listener's queue.
            client.connect(&address.into()).expect("in the queue");
            while errors.get() == 0 {
                gristmill::task::yield_now().await;
            }
            drop(shortage);
            let client = TcpStream::from_std(client.into()).expect("registered");
            assert_echo(client, b"after").await;
        });
    };
    common::in_own_process(own_name, || on_each(test));
}
