//! Connections come to be as asked: addresses in turn, errors that say what, options that stick.

mod common;
mod wire;

use common::on_each;
use futures_lite::StreamExt;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::{TcpListener, TcpSocket, TcpStream};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use wire::tcp_pair;

/// An address at which nobody listens: bound, so that nobody else gets it.
fn refusing() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

#[test]
fn a_refused_connection_is_an_error_that_names_the_address() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (_bound, address) = refusing();
            let error = TcpStream::connect(address)
                .await
                .expect_err("nobody listens");
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            assert!(error.to_string().contains(&address.to_string()), "{error}");
        });
    });
}

#[test]
fn the_second_address_is_tried_when_the_first_refuses() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (_bound, refusing) = refusing();
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            let stream = TcpStream::connect(&[refusing, address][..])
                .await
                .expect("the second");
            assert_eq!(stream.peer_addr().expect("an address"), address);
            let (accepted, peer) = listener.accept().await.expect("a connection");
            assert_eq!(peer, stream.local_addr().expect("an address"));
            assert_eq!(accepted.peer_addr().expect("an address"), peer);
        });
    });
}

#[test]
fn no_address_at_all_is_an_error() {
    on_each(|runtime| {
        runtime.block_on(async {
            let none: &[SocketAddr] = &[];
            let error = TcpStream::connect(none).await.expect_err("nowhere");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        });
    });
}

#[test]
fn an_address_in_use_is_refused_and_the_next_one_taken() {
    on_each(|runtime| {
        runtime.block_on(async {
            let first = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let taken = first.local_addr().expect("an address");
            let error = TcpListener::bind(taken).await.expect_err("in use");
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
            let second = TcpListener::bind(&[taken, any][..])
                .await
                .expect("the second");
            assert_ne!(second.local_addr().expect("an address"), taken);
        });
    });
}

#[test]
fn a_socket_needs_a_runtime_and_says_so() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let error = TcpListener::from_std(socket).expect_err("no runtime here");
    assert!(error.to_string().contains("gristmill::run"), "{error}");
}

#[test]
fn the_stream_of_incoming_connections_goes_on_and_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            let clients = gristmill::spawn(async move {
                for number in 0..5_u8 {
                    let mut stream = TcpStream::connect(address).await.expect("a connection");
                    stream.write_all(&[number]).await.expect("a write");
                }
            });
            let mut incoming = listener.incoming();
            for number in 0..5_u8 {
                let mut stream = incoming
                    .next()
                    .await
                    .expect("no end")
                    .expect("a connection");
                let mut received = Vec::new();
                stream.read_to_end(&mut received).await.expect("a read");
                assert_eq!(received, [number]);
            }
            clients.await.expect("no panic");
        });
    });
}

#[test]
fn accepted_and_connected_sockets_are_non_blocking_and_not_inherited() {
    on_each(|runtime| {
        let (one, other) = runtime.block_on(tcp_pair());
        for stream in [one, other] {
            let fd = std::os::fd::AsRawFd::as_raw_fd(&stream);
            let flags = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}"));
            let flags = flags.expect("fdinfo");
            let flags = flags.lines().find_map(|line| line.strip_prefix("flags:\t"));
            let flags = u32::from_str_radix(flags.expect("a line"), 8).expect("octal digits");
            let (nonblock, cloexec) = (0o4000, 0o2_000_000);
            assert_eq!(
                flags & (nonblock | cloexec),
                nonblock | cloexec,
                "{flags:o}"
            );
        }
    });
}

#[test]
fn options_keep_what_they_are_set_to() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (stream, _other) = tcp_pair().await;
            stream.set_nodelay(true).expect("an option");
            stream.set_ttl(42).expect("an option");
            stream
                .set_linger(Some(Duration::from_secs(3)))
                .expect("an option");
            assert!(stream.nodelay().expect("an option"));
            assert_eq!(stream.ttl().expect("an option"), 42);
            assert_eq!(
                stream.linger().expect("an option"),
                Some(Duration::from_secs(3))
            );
            stream.set_linger(None).expect("an option");

            let socket = TcpSocket::new_v4().expect("a socket");
            socket.set_reuseaddr(true).expect("an option");
            socket.set_reuseport(true).expect("an option");
            socket.set_keepalive(true).expect("an option");
            socket.set_nodelay(true).expect("an option");
            socket.set_send_buffer_size(65_536).expect("an option");
            socket.set_recv_buffer_size(65_536).expect("an option");
            assert!(socket.reuseaddr().expect("an option"));
            assert!(socket.reuseport().expect("an option"));
            assert!(socket.keepalive().expect("an option"));
            assert!(socket.nodelay().expect("an option"));
            assert!(socket.send_buffer_size().expect("an option") >= 65_536);
            assert!(socket.recv_buffer_size().expect("an option") >= 65_536);
        });
    });
}

#[test]
fn a_socket_that_was_set_up_connects_from_where_it_is_bound() {
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpSocket::new_v4().expect("a socket");
            listener
                .bind("127.0.0.1:0".parse().expect("an address"))
                .expect("a port");
            let listener = listener.listen(16).expect("a listener");
            let (client, bound) = refusing();
            let address = listener.local_addr().expect("an address");
            let _stream = client.connect(address).await.expect("a connection");
            let (_accepted, peer) = listener.accept().await.expect("a connection");
            assert_eq!(peer, bound);
        });
    });
}

#[test]
fn a_socket_goes_to_the_standard_library_and_back() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, mut other) = tcp_pair().await;
            let one = one.into_std().expect("a socket");
            one.set_nonblocking(false).expect("a blocking socket");
            let mut one = TcpStream::from_std(one).expect("a stream");
            let reading = gristmill::spawn(async move {
                let mut buf = [0; 2];
                one.read_exact(&mut buf).await.map(|()| buf)
            });
            // On a current-thread runtime this runs only if the read above does not block.
            gristmill::task::yield_now().await;
            other.write_all(b"ok").await.expect("a write");
            assert_eq!(&reading.await.expect("no panic").expect("a read"), b"ok");
        });
    });
}
