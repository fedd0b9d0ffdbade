//! Waits on transports and servers that are given up, wherever they wait, leave the connection as it is, and lose no outcome.

mod common;
mod wire;

use common::Flavour;
use common::ends::{End, at_every_end};
use gristmill::net::protocol::{
    self, Address, DatagramProtocol, DatagramTransport, Listener, Protocol, Transport, Written,
    attach, serve,
};
use gristmill::net::{TcpListener, UdpSocket, UnixListener, UnixStream};
use gristmill::sync::Event;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use wire::fresh_path;

/// Takes what comes and says nothing.
struct Silent;

impl Protocol for Silent {
    fn data_received(&mut self, _: &[u8]) {}
}

impl DatagramProtocol for Silent {
    fn datagram_received(&mut self, _: &[u8], _: SocketAddr) {}
}

#[test]
fn a_connection_that_is_given_up_is_made_or_is_not() {
    at_every_end(|end| {
        let bind = TcpListener::bind("127.0.0.1:0");
        let listener = end.runtime().block_on(bind).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let connect = protocol::connect(("localhost", address.port()), Silent);
        let got = end.of_woken(connect, |_| {});
        finish(end, got.and_then(Result::ok));
    });
    at_every_end(|end| {
        let path = fresh_path();
        let _listener = UnixListener::bind(&path).expect("a listener");
        let got = end.of_woken(protocol::connect_unix(path.clone(), Silent), |_| {});
        finish(end, got.map(|got| got.expect("a connection")));
        std::fs::remove_file(path).expect("removed");
    });
}

/// Ends a connection that was made.
fn finish(end: &End, made: Option<(Transport, gristmill::task::JoinHandle<Silent>)>) {
    if let Some((transport, ended)) = made {
        transport.abort();
        end.runtime().block_on(ended).expect("no panic");
    }
}

#[test]
fn a_wait_for_room_or_for_the_end_that_is_given_up_leaves_the_connection_as_it_is() {
    const MUCH: usize = 1_000_000;
    at_every_end(|end| {
        let (one, mut other) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let stream = UnixStream::from_std(one).expect("registered");
        let (transport, ended) = attach(stream, Silent);
        assert_eq!(transport.write(&vec![1; MUCH]), Written::Full);
        let own = transport.clone();
        let waits = async move {
            own.drain().await.expect("room");
            own.close();
            own.wait_closed().await;
        };
        let mut read = 0;
        let mut buffer = vec![0; MUCH];
        // Reads all but the last bytes, and then those too.
        let got = end.of_woken(waits, |poll| {
            let until = if poll == 1 { MUCH - 10 } else { MUCH };
            other.read_exact(&mut buffer[read..until]).expect("bytes");
            read = until;
        });
        other
            .read_exact(&mut buffer[read..])
            .expect("no byte is lost");
        assert!(got.is_none() || transport.is_closing());
        transport.close();
        end.runtime().block_on(transport.wait_closed());
        end.runtime().block_on(ended).expect("no panic");
        other.flush().expect("closed by the other end alone");
    });
}

#[test]
fn a_wait_for_datagrams_to_go_out_that_is_given_up_leaves_them_to_be_sent() {
    at_every_end(|end| {
        let bind = || UdpSocket::bind("127.0.0.1:0");
        let receiver = end.runtime().block_on(bind()).expect("bound");
        let target = receiver.local_addr().expect("an address");
        let socket = end.runtime().block_on(bind()).expect("bound");
        let (transport, ended) = protocol::datagram(socket, Silent);
        transport.set_write_buffer_limits(0, 0);
        let _ = transport.send_to(b"one", target);
        let own: DatagramTransport = transport.clone();
        let waits = async move {
            own.drain().await.expect("sent");
            own.close();
            own.wait_closed().await;
        };
        end.of_woken(waits, |_| {});
        let mut buffer = [0; 8];
        let received = end.runtime().block_on(receiver.recv(&mut buffer));
        assert_eq!(received.expect("sent all the same"), 3);
        transport.close();
        end.runtime().block_on(transport.wait_closed());
        end.runtime().block_on(ended).expect("no panic");
    });
}

/// A listener that fails for good once it is told to.
struct Failing {
    fail: Arc<Event>,
    wait: Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Listener for Failing {
    type Stream = UnixStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        let fail = Arc::clone(&self.fail);
        let wait = self
            .wait
            .get_or_insert_with(|| Box::pin(async move { fail.wait().await }));
        wait.as_mut()
            .poll(cx)
            .map(|()| Err(io::Error::other("expected by the test")))
    }

    fn local_addr(&self) -> Address {
        Address::Unknown
    }
}

#[test]
fn why_a_server_stopped_is_told_though_who_waited_first_gave_up() {
    at_every_end(|end| {
        let fail = Arc::new(Event::new());
        let listener = Failing {
            fail: Arc::clone(&fail),
            wait: None,
        };
        let server = Arc::new(serve(listener, || Silent));
        let own = Arc::clone(&server);
        let waits = async move { own.serve_forever().await };
        let got = end.of_woken(waits, |_| fail.set());
        fail.set();
        let outcome = match got {
            Some(outcome) => outcome,
            None => end.runtime().block_on(server.serve_forever()),
        };
        let error = outcome.expect_err("it failed");
        assert_eq!(error.to_string(), "expected by the test");
        end.runtime().block_on(server.wait_closed());
    });
}

#[test]
fn who_gives_up_between_the_last_of_a_server_and_its_end_leaves_no_waker() {
    /// Keeps the task that takes connections from its end, when nothing of it is left but the factory.
    struct Last(mpsc::Receiver<()>);
    impl Drop for Last {
        fn drop(&mut self) {
            let _ = self.0.recv();
        }
    }
    at_every_end(|end| {
        let (go_on, last) = mpsc::channel();
        let last = Last(last);
        let fail = Arc::new(Event::new());
        let listener = Failing {
            fail: Arc::clone(&fail),
            wait: None,
        };
        let factory = move || {
            let _ = &last;
            Silent
        };
        // The server's own runtime, so that its end does not hold up who waits.
        let theirs = Flavour::OneWorker.runtime();
        let inside = theirs.enter();
        let server = Arc::new(serve(listener, factory));
        drop(inside);
        fail.set();
        common::eventually("it has stopped", || !server.is_serving());
        let own = Arc::clone(&server);
        let waits = async move { own.serve_forever().await };
        let got = end.of_woken(waits, |_| go_on.send(()).expect("it waits"));
        // If it was given up before.
        let _ = go_on.send(());
        let outcome = match got {
            Some(outcome) => outcome,
            None => end.runtime().block_on(server.serve_forever()),
        };
        let error = outcome.expect_err("it failed");
        assert_eq!(error.to_string(), "expected by the test");
    });
}

#[test]
fn a_wait_for_a_server_to_be_closed_that_is_given_up_leaves_it() {
    at_every_end(|end| {
        let path = fresh_path();
        let listener = UnixListener::bind(&path).expect("a listener");
        let server = Arc::new(serve(listener, || Silent));
        let client = std::os::unix::net::UnixStream::connect(&path).expect("a connection");
        common::eventually("it is served", || server.connections() == 1);
        let own = Arc::clone(&server);
        let waits = async move { own.wait_closed().await };
        let got = end.of_woken(waits, |poll| {
            if poll == 1 {
                server.close();
                server.abort_clients();
            }
        });
        assert!(got.is_none() || server.connections() == 0);
        drop(client);
        drop(server);
        std::fs::remove_file(path).expect("removed");
    });
}

#[test]
fn a_wait_that_never_began_waits_for_nothing() {
    common::within("never polled", || {
        let runtime = common::Flavour::OneWorker.runtime();
        let _entered = runtime.enter();
        let (one, _other) = UnixStream::pair().expect("a pair");
        let (transport, ended) = attach(one, Silent);
        {
            let mut wait = pin!(transport.wait_closed());
            assert!(common::CountingWaker::new().poll(&mut wait).is_pending());
        }
        transport.abort();
        runtime.block_on(ended).expect("no panic");
    });
}
