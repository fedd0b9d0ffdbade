//! Names and addresses: each form resolves, and what is an address already needs no thread.

mod common;

use common::{CountingWaker, on_each};
use gristmill::net::{TcpListener, TcpStream, UdpSocket, lookup_host};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::task::Poll;

#[test]
fn localhost_resolves_to_loopback_addresses() {
    on_each(|runtime| {
        runtime.block_on(async {
            for _ in 0..3 {
                let found: Vec<_> = lookup_host("localhost:80").await.expect("known").collect();
                assert!(!found.is_empty());
                assert!(
                    found.iter().all(|a| a.ip().is_loopback() && a.port() == 80),
                    "{found:?}"
                );
            }
            let found = lookup_host(("localhost", 443)).await.expect("known");
            assert!(found.into_iter().all(|address| address.port() == 443));
            let found = lookup_host((String::from("localhost"), 7))
                .await
                .expect("known");
            assert!(found.into_iter().all(|address| address.port() == 7));
        });
    });
}

#[test]
fn what_is_an_address_resolves_at_once_and_without_a_runtime() {
    fn at_once(host: impl gristmill::net::ToSocketAddrs) -> Vec<SocketAddr> {
        let mut lookup = Box::pin(lookup_host(host));
        match CountingWaker::new().poll(&mut lookup) {
            Poll::Ready(Ok(found)) => found.collect(),
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => panic!("waits for a thread"),
        }
    }
    let v4: SocketAddr = "127.0.0.1:80".parse().expect("an address");
    let v6: SocketAddr = "[::1]:80".parse().expect("an address");
    assert_eq!(at_once(v4), [v4]);
    assert_eq!(at_once(v6), [v6]);
    assert_eq!(at_once(&[v4, v6][..]), [v4, v6]);
    assert_eq!(at_once("127.0.0.1:80"), [v4]);
    assert_eq!(at_once(String::from("[::1]:80")), [v6]);
    assert_eq!(at_once(("127.0.0.1", 80)), [v4]);
    assert_eq!(at_once((String::from("::1"), 80)), [v6]);
    assert_eq!(at_once((Ipv4Addr::LOCALHOST, 80)), [v4]);
    assert_eq!(at_once((Ipv6Addr::LOCALHOST, 80)), [v6]);
    assert_eq!(at_once((IpAddr::V4(Ipv4Addr::LOCALHOST), 80)), [v4]);
    assert_eq!(at_once(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 80)), [v4]);
    assert_eq!(
        at_once(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 0)),
        [v6]
    );
}

#[test]
fn what_is_neither_address_nor_name_is_an_error() {
    on_each(|runtime| {
        runtime.block_on(async {
            for wrong in ["no port", "127.0.0.1:many", "localhost:65536", ":80", "["] {
                let error = lookup_host(wrong).await.err().expect("not of the form");
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{wrong}");
                let text = error.to_string();
                assert!(text.contains(wrong) && text.contains("host:port"), "{text}");
            }
            // No resolver is asked for this.
            let error = lookup_host("no\0host:80").await.err().expect("no name");
            assert!(error.to_string().contains("no\\0host"), "{error}");
        });
    });
}

#[test]
fn a_name_without_a_runtime_is_an_error_that_says_so() {
    let mut lookup = Box::pin(lookup_host("localhost:80"));
    match CountingWaker::new().poll(&mut lookup) {
        Poll::Ready(Err(error)) => {
            assert!(error.to_string().contains("gristmill::run"), "{error}");
        }
        _ => panic!("there is no runtime here"),
    }
}

#[test]
fn a_connection_is_made_by_name() {
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("localhost:0").await.expect("a listener");
            let port = listener.local_addr().expect("an address").port();
            let stream = TcpStream::connect(("localhost", port))
                .await
                .expect("a connection");
            let (_, peer) = listener.accept().await.expect("a connection");
            assert_eq!(stream.local_addr().expect("an address"), peer);
        });
    });
}

#[test]
fn futures_that_look_up_names_may_go_to_other_threads() {
    // Tasks of several workers are sent: each of these is a future that borrows a socket, or a name.
    on_each(|runtime| {
        runtime.block_on(async {
            let tasks = [
                gristmill::spawn(async {
                    let listener = TcpListener::bind("127.0.0.1:0").await?;
                    let address = listener.local_addr()?.to_string();
                    TcpStream::connect(address.as_str()).await.map(drop)
                }),
                gristmill::spawn(async {
                    let one = UdpSocket::bind("127.0.0.1:0").await?;
                    let other = UdpSocket::bind(("127.0.0.1", 0)).await?;
                    let address = other.local_addr()?.to_string();
                    one.connect(address.as_str()).await?;
                    other.send_to(b"x", &*one.local_addr()?.to_string()).await?;
                    one.recv(&mut [0]).await.map(drop)
                }),
                gristmill::spawn(async { lookup_host("localhost:80").await.map(drop) }),
            ];
            for task in tasks {
                task.await.expect("no panic").expect("no error");
            }
        });
    });
}
