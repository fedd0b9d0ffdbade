//! Unix sockets: streams and datagrams, by path, by abstract name, and in pairs.

mod common;
mod wire;

use common::on_each;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::{UnixDatagram, UnixListener, UnixStream};
use gristmill::task::JoinSet;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::path::Path;
use wire::{echo, fresh_path, pattern};

#[test]
fn a_listener_echoes_to_many_connections() {
    on_each(|runtime| {
        runtime.block_on(async {
            let path = fresh_path();
            let listener = UnixListener::bind(&path).expect("a listener");
            assert_eq!(
                listener.local_addr().expect("an address").as_pathname(),
                Some(&*path)
            );
            let server = gristmill::spawn(async move {
                for _ in 0..16 {
                    let (stream, peer) = listener.accept().await.expect("a connection");
                    assert!(peer.is_unnamed());
                    drop(gristmill::spawn(echo(stream)));
                }
            });
            let mut clients = JoinSet::new();
            for _ in 0..16 {
                let path = path.clone();
                clients.spawn(async move {
                    let stream = UnixStream::connect(&path).await.expect("a connection");
                    let (mut reader, mut writer) = stream.into_split();
                    let writing = gristmill::spawn(async move {
                        writer.write_all(&pattern(300_000)).await.expect("a write");
                    });
                    let mut received = Vec::new();
                    reader.read_to_end(&mut received).await.expect("a read");
                    assert!(received == pattern(300_000));
                    writing.await.expect("no panic");
                });
            }
            while let Some(ended) = clients.join_next().await {
                ended.expect("no panic");
            }
            server.await.expect("no panic");
            std::fs::remove_file(path).expect("the file of the socket");
        });
    });
}

#[test]
fn the_end_of_a_pair_is_never_lost() {
    on_each(|runtime| {
        runtime.block_on(async {
            for length in (0..200).chain([4095, 4096, 4097]) {
                let (mut one, mut other) = UnixStream::pair().expect("a pair");
                for _ in 0..length % 12 {
                    one.write_all(b"x").await.expect("a write");
                    assert_eq!(other.read(&mut [0; 64]).await.expect("a read"), 1);
                }
                let reading = gristmill::spawn(async move {
                    let mut received = Vec::new();
                    other.read_to_end(&mut received).await.map(|_| received)
                });
                one.write_all(&pattern(length)).await.expect("a write");
                drop(one);
                assert!(reading.await.expect("no panic").expect("a read") == pattern(length));
            }
        });
    });
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_needs_no_file() {
    use std::os::linux::net::SocketAddrExt;
    on_each(|runtime| {
        runtime.block_on(async {
            let name = fresh_path()
                .file_name()
                .map(|name| name.to_owned())
                .expect("a name");
            let name = format!("\0{}", name.display());
            let listener = UnixListener::bind(&name).expect("a listener");
            let address = listener.local_addr().expect("an address");
            assert_eq!(address.as_abstract_name(), Some(&name.as_bytes()[1..]));
            let mut one = UnixStream::connect(&name).await.expect("a connection");
            let (mut other, _) = listener.accept().await.expect("a connection");
            one.write_all(b"abstract").await.expect("a write");
            drop(one);
            let mut received = String::new();
            other.read_to_string(&mut received).await.expect("a read");
            assert_eq!(received, "abstract");
        });
    });
}

#[test]
fn paths_that_cannot_be_are_refused_with_a_reason() {
    on_each(|runtime| {
        runtime.block_on(async {
            let too_long = Path::new("/tmp").join("x".repeat(200));
            let error = UnixListener::bind(&too_long).expect_err("too long");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let error = UnixStream::connect(&too_long).await.expect_err("too long");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let error = UnixStream::connect(fresh_path()).await.expect_err("nobody");
            assert_eq!(error.kind(), ErrorKind::NotFound);
        });
    });
}

#[test]
fn connecting_waits_while_the_listeners_queue_is_full() {
    on_each(|runtime| {
        runtime.block_on(async {
            let path = fresh_path();
            let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
            let socket = socket.expect("a socket");
            socket
                .bind(&socket2::SockAddr::unix(&path).expect("an address"))
                .expect("a path");
            socket.listen(0).expect("a listener");
            let listener = UnixListener::from_std(socket.into()).expect("a listener");
            let _first = UnixStream::connect(&path).await.expect("fills the queue");
            let second = gristmill::spawn(UnixStream::connect(path.clone()));
            gristmill::task::yield_now().await;
            let _first = listener.accept().await.expect("a connection");
            let _second = listener.accept().await.expect("a connection");
            second.await.expect("no panic").expect("the second");
            std::fs::remove_file(path).expect("the file of the socket");
        });
    });
}

#[test]
fn datagrams_of_a_pair_arrive_whole_and_in_order() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, other) = UnixDatagram::pair().expect("a pair");
            let sending = gristmill::spawn(async move {
                // More than the receiver's queue holds, so that sending has to wait.
                for number in 0..2000_u32 {
                    one.send(&number.to_le_bytes()).await.expect("a send");
                }
            });
            let mut buf = [0; 16];
            for number in 0..2000_u32 {
                let length = other.recv(&mut buf).await.expect("a datagram");
                assert_eq!(&buf[..length], &number.to_le_bytes());
            }
            sending.await.expect("no panic");
        });
    });
}

#[test]
fn datagrams_go_to_a_path_and_tell_where_they_came_from() {
    on_each(|runtime| {
        runtime.block_on(async {
            let paths = [fresh_path(), fresh_path()];
            let [one, other] = paths
                .each_ref()
                .map(|p| UnixDatagram::bind(p).expect("a socket"));
            one.send_to(b"ping", &paths[1]).await.expect("a send");
            let mut buf = [0; 16];
            let (length, from) = other.recv_from(&mut buf).await.expect("a datagram");
            assert_eq!(
                (&buf[..length], from.as_pathname()),
                (&b"ping"[..], Some(&*paths[0]))
            );
            let error = other.try_recv_from(&mut buf).expect_err("nothing more");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);

            let nameless = UnixDatagram::unbound().expect("a socket");
            nameless.connect(&paths[0]).expect("a peer");
            nameless.send(b"from nobody").await.expect("a send");
            let (_, from) = one.recv_from(&mut buf).await.expect("a datagram");
            assert!(from.is_unnamed());
            for path in paths {
                std::fs::remove_file(path).expect("the file of the socket");
            }
        });
    });
}

#[test]
fn a_sender_without_a_connection_waits_for_room_that_it_took_itself() {
    on_each(|runtime| {
        runtime.block_on(async {
            let path = fresh_path();
            let receiver = UnixDatagram::bind(&path).expect("a socket");
            let target = path.clone();
            let sending = gristmill::spawn(async move {
                let sender = UnixDatagram::unbound().expect("a socket");
                for number in 0..500_u32 {
                    sender
                        .send_to(&number.to_le_bytes(), &target)
                        .await
                        .expect("a send");
                }
            });
            let mut buf = [0; 16];
            for number in 0..500_u32 {
                let length = receiver.recv(&mut buf).await.expect("a datagram");
                assert_eq!(&buf[..length], &number.to_le_bytes());
            }
            sending.await.expect("no panic");
            std::fs::remove_file(path).expect("the file of the socket");
        });
    });
}

#[test]
fn a_peek_leaves_the_datagram_and_a_poll_takes_it_with_its_sender() {
    on_each(|runtime| {
        runtime.block_on(async {
            let paths = [fresh_path(), fresh_path()];
            let [one, other] = paths
                .each_ref()
                .map(|p| UnixDatagram::bind(p).expect("a socket"));
            let mut buf = [0; 16];
            let error = other.try_peek(&mut buf).expect_err("nothing yet");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);

            let sent = poll_fn(|cx| one.poll_send_to(cx, b"ping", &paths[1])).await;
            assert_eq!(sent.expect("a send"), 4);
            let copied = other.peek(&mut buf[..2]).await.expect("a datagram");
            assert_eq!(&buf[..copied], b"pi");
            assert_eq!(other.try_peek(&mut buf).expect("still there"), 4);

            let taken = poll_fn(|cx| other.poll_recv_from(cx, &mut buf)).await;
            let (length, from) = taken.expect("a datagram");
            assert_eq!(
                (&buf[..length], from.as_pathname()),
                (&b"ping"[..], Some(&*paths[0]))
            );
            let error = other.try_peek(&mut buf).expect_err("nothing more");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            for path in paths {
                std::fs::remove_file(path).expect("a socket's file");
            }
        });
    });
}
