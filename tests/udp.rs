//! UDP: datagrams arrive whole, from whom they say, and waiting for them loses none.

mod common;

use common::on_each;
use gristmill::net::UdpSocket;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

async fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

#[test]
fn a_socket_may_be_connected_by_name_in_a_task() {
    on_each(|runtime| {
        let task = runtime.spawn(async {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            let port = socket.local_addr()?.port();
            socket.connect(("127.0.0.1", port)).await?;
            socket.connect(format!("127.0.0.1:{port}").as_str()).await?;
            socket.send(b"to itself").await
        });
        let sent = runtime.block_on(task).expect("no panic").expect("sent");
        assert_eq!(sent, 9);
    });
}

#[test]
fn an_echo_answers_whoever_asks() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (server, address) = socket().await;
            let serving = gristmill::spawn(async move {
                let mut buf = [0; 64];
                for _ in 0..100 {
                    let (length, from) = server.recv_from(&mut buf).await.expect("a datagram");
                    server.send_to(&buf[..length], from).await.expect("a send");
                }
            });
            let clients = [socket().await.0, socket().await.0];
            for number in 0..50_u8 {
                for (client, socket) in clients.iter().enumerate() {
                    let sent = [number, client as u8];
                    socket.send_to(&sent, address).await.expect("a send");
                    let mut buf = [0; 64];
                    let (length, from) = socket.recv_from(&mut buf).await.expect("a datagram");
                    assert_eq!((&buf[..length], from), (&sent[..], address));
                }
            }
            serving.await.expect("no panic");
        });
    });
}

#[test]
fn connected_sockets_talk_to_each_other_alone() {
    on_each(|runtime| {
        runtime.block_on(async {
            let ((one, one_address), (other, other_address)) = (socket().await, socket().await);
            let (stranger, _) = socket().await;
            one.connect(other_address).await.expect("a peer");
            other.connect(one_address).await.expect("a peer");
            assert_eq!(one.peer_addr().expect("a peer"), other_address);
            stranger
                .send_to(b"stranger", one_address)
                .await
                .expect("a send");
            other.send(b"peer").await.expect("a send");
            let mut buf = [0; 16];
            let length = one.recv(&mut buf).await.expect("a datagram");
            assert_eq!(&buf[..length], b"peer");
            let error = one.try_recv(&mut buf).expect_err("nothing more");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        });
    });
}

#[test]
fn a_task_that_waits_for_a_datagram_is_woken_by_it() {
    on_each(|runtime| {
        runtime.block_on(async {
            let ((receiver, address), (sender, _)) = (socket().await, socket().await);
            let waiting = gristmill::spawn(async move {
                let mut buf = [0; 16];
                let (length, _) = poll_fn(|cx| receiver.poll_recv_from(cx, &mut buf)).await?;
                std::io::Result::Ok(buf[..length].to_vec())
            });
            gristmill::task::yield_now().await;
            poll_fn(|cx| sender.poll_send_to(cx, b"wake up", address))
                .await
                .expect("a send");
            assert_eq!(
                waiting.await.expect("no panic").expect("a datagram"),
                b"wake up"
            );
        });
    });
}

#[test]
fn peeking_takes_nothing_and_attempts_do_not_wait() {
    on_each(|runtime| {
        runtime.block_on(async {
            let ((receiver, address), (sender, from)) = (socket().await, socket().await);
            let mut buf = [0; 16];
            let error = receiver.try_recv_from(&mut buf).expect_err("nothing there");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            sender.try_send_to(b"peek", address).expect("a send");
            receiver.readable().await.expect("readable");
            assert_eq!(
                receiver.peek_from(&mut buf).await.expect("a peek"),
                (4, from)
            );
            assert_eq!(receiver.try_peek_from(&mut buf).expect("a peek"), (4, from));
            assert_eq!(
                receiver.try_recv_from(&mut buf).expect("a datagram"),
                (4, from)
            );
            assert_eq!(&buf[..4], b"peek");
        });
    });
}

#[test]
fn a_refused_datagram_is_an_error_of_the_connected_sender() {
    on_each(|runtime| {
        runtime.block_on(async {
            let ((gone, address), (sender, _)) = (socket().await, socket().await);
            drop(gone);
            sender.connect(address).await.expect("a peer");
            sender.send(b"anyone?").await.expect("a send");
            let error = sender.recv(&mut [0; 16]).await.expect_err("nobody");
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        });
    });
}

#[test]
fn options_keep_what_they_are_set_to() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (socket, _) = socket().await;
            assert!(!socket.broadcast().expect("an option"));
            socket.set_broadcast(true).expect("an option");
            assert!(socket.broadcast().expect("an option"));
            socket.set_ttl(42).expect("an option");
            assert_eq!(socket.ttl().expect("an option"), 42);
            socket.set_multicast_loop_v4(false).expect("an option");
            assert!(!socket.multicast_loop_v4().expect("an option"));
            socket.set_multicast_ttl_v4(7).expect("an option");
            assert_eq!(socket.multicast_ttl_v4().expect("an option"), 7);
        });
    });
}

#[test]
fn an_address_that_is_no_group_cannot_be_joined() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (socket, _) = socket().await;
            let no_group = Ipv4Addr::new(127, 0, 0, 1);
            socket
                .join_multicast_v4(no_group, Ipv4Addr::LOCALHOST)
                .expect_err("no group");
            let group = Ipv4Addr::new(239, 255, 7, 7);
            socket
                .leave_multicast_v4(group, Ipv4Addr::LOCALHOST)
                .expect_err("never joined");
        });
    });
}

#[test]
fn a_socket_goes_to_the_standard_library_and_back() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (socket, address) = socket().await;
            let socket = socket.into_std().expect("a socket");
            socket.set_nonblocking(false).expect("a blocking socket");
            let socket = UdpSocket::from_std(socket).expect("a socket");
            let error = socket.try_recv(&mut [0; 1]).expect_err("does not block");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert_eq!(socket.local_addr().expect("an address"), address);
        });
    });
}

#[test]
fn a_try_peek_leaves_the_datagram() {
    on_each(|runtime| {
        runtime.block_on(async {
            let one = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
            let other = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
            let mut buf = [0; 16];
            let error = other.try_peek(&mut buf).expect_err("nothing yet");
            assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);

            let target = other.local_addr().expect("an address");
            one.send_to(b"ping", target).await.expect("a send");
            other.peek(&mut buf).await.expect("a datagram");
            assert_eq!(other.try_peek(&mut buf).expect("still there"), 4);
            assert_eq!(other.try_recv(&mut buf).expect("still there"), 4);
            assert_eq!(&buf[..4], b"ping");
        });
    });
}
