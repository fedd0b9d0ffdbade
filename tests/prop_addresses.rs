//! Any address, printed, is that address again, at once; and what is none is an error that says so

mod common;

use common::{Flavour, within};
use gristmill::net::lookup_host;
use proptest::prelude::*;
use std::future::Future;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The addresses that a look-up gives without waiting for anybody.
fn at_once(host: impl gristmill::net::ToSocketAddrs) -> Vec<SocketAddr> {
    let mut lookup = pin!(lookup_host(host));
    match lookup
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(Ok(found)) => found.collect(),
        Poll::Ready(Err(error)) => panic!("{error}"),
        Poll::Pending => panic!("waits for a thread"),
    }
}

fn address() -> impl Strategy<Value = SocketAddr> {
    let plain = (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from);
    let scoped = (any::<std::net::Ipv6Addr>(), any::<u16>(), any::<u32>())
        .prop_map(|(ip, port, scope)| SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope)));
    prop_oneof![plain, scoped]
}

proptest! {
    #[test]
    fn a_printed_address_is_parsed_back_without_a_thread(address in address()) {
        prop_assert_eq!(at_once(address.to_string()), [address]);
        prop_assert_eq!(at_once(address), [address]);
        let (ip, port) = (address.ip(), address.port());
        let plain = SocketAddr::new(ip, port);
        prop_assert_eq!(at_once((ip, port)), [plain]);
        prop_assert_eq!(at_once((ip.to_string(), port)), [plain]);
        prop_assert_eq!(at_once(&[address, plain][..]), [address, plain]);
    }
}

#[test]
fn what_lacks_a_port_or_has_none_that_exists_is_refused() {
    // No name is asked for: the port is looked at first.
    let host = "[a-z0-9.\\[\\]äö -]{0,20}";
    let port = prop_oneof![
        Just(String::new()),
        Just(":".to_owned()),
        ":[a-z ]{1,5}",
        (65_536..u64::MAX).prop_map(|port| format!(":{port}")),
        ":-[0-9]{1,5}",
    ];
    within("look-ups", move || {
        let runtime = Flavour::CurrentThread.runtime();
        let strategy = (host, port).prop_map(|(host, port)| host + &port);
        proptest!(|(text in strategy)| {
            let outcome = runtime.block_on(async { lookup_host(text.as_str()).await.map(|_| ()) });
            let error = outcome.expect_err("no port");
            prop_assert_eq!(error.kind(), ErrorKind::InvalidInput, "{} for {}", error, text);
        });
    });
}
