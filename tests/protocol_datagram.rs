//! What a protocol of datagrams is told, and what its transport does.

mod common;

use async_channel::{Receiver, Sender};
use common::{on_each, panic_text, silence_panics, with_each};
use gristmill::net::UdpSocket;
use gristmill::net::protocol::{Address, DatagramProtocol, DatagramTransport, Written, datagram};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// A call that a protocol received.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    Made,
    Datagram(Vec<u8>, SocketAddr),
    Error(ErrorKind),
    Pause,
    Resume,
    Lost(Option<ErrorKind>),
}

/// An address at which no other test takes a port that has just become free.
const ALONE: &str = if cfg!(target_os = "linux") {
    "127.0.0.77:0"
} else {
    "127.0.0.1:0"
};

type Action = Box<dyn FnMut(&DatagramTransport, &Call) + Send>;

/// A protocol that records its calls, and does something in each.
struct Recorder {
    calls: Sender<Call>,
    transport: Option<DatagramTransport>,
    action: Action,
}

impl Recorder {
    fn new(
        action: impl FnMut(&DatagramTransport, &Call) + Send + 'static,
    ) -> (Self, Receiver<Call>) {
        let (calls, receiver) = async_channel::unbounded();
        let action = Box::new(action);
        let recorder = Self {
            calls,
            transport: None,
            action,
        };
        (recorder, receiver)
    }

    fn record(&mut self, call: Call) {
        // A test that has seen enough does not listen any more.
        let _ = self.calls.try_send(call.clone());
        if let Some(transport) = &self.transport {
            (self.action)(transport, &call);
        }
    }
}

impl DatagramProtocol for Recorder {
    fn connection_made(&mut self, transport: DatagramTransport) {
        self.transport = Some(transport);
        self.record(Call::Made);
    }
    fn datagram_received(&mut self, data: &[u8], addr: SocketAddr) {
        self.record(Call::Datagram(data.to_vec(), addr));
    }
    fn error_received(&mut self, error: io::Error) {
        self.record(Call::Error(error.kind()));
    }
    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.record(Call::Lost(error.map(|error| error.kind())));
    }
    fn pause_writing(&mut self) {
        self.record(Call::Pause);
    }
    fn resume_writing(&mut self) {
        self.record(Call::Resume);
    }
}

async fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

async fn next(calls: &Receiver<Call>) -> Call {
    calls.recv().await.expect("another call")
}

async fn rest(calls: &Receiver<Call>) -> Vec<Call> {
    let mut rest = Vec::new();
    while let Ok(call) = calls.recv().await {
        rest.push(call);
    }
    rest
}

#[test]
fn datagrams_come_whole_with_their_sender_and_answers_go_back() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (served, address) = socket().await;
            let (recorder, calls) = Recorder::new(|transport, call| {
                if let Call::Datagram(data, from) = call {
                    assert_ne!(transport.send_to(data, *from), Written::Closed);
                }
            });
            let (transport, ended) = datagram(served, recorder);
            // One of the longest is above the usual mark.
            transport.set_write_buffer_limits(1_000_000, 1_000);
            assert_eq!(transport.local_addr().ip(), Some(address));
            assert!(matches!(transport.peer_addr(), Address::Unknown));
            assert_eq!(next(&calls).await, Call::Made);
            let (client, own) = socket().await;
            let mut buf = vec![0; 70_000];
            // The last is the longest that there is over IPv4.
            for length in [1, 0, 1000, 65_507] {
                let sent = vec![7; length];
                client.send_to(&sent, address).await.expect("sent");
                assert_eq!(next(&calls).await, Call::Datagram(sent.clone(), own));
                let (count, from) = client.recv_from(&mut buf).await.expect("the echo");
                assert_eq!((&buf[..count], from), (&sent[..], address));
            }
            transport.close();
            assert!(transport.is_closing());
            assert_eq!(transport.send_to(b"late", own), Written::Closed);
            drop(ended.await.expect("no panic"));
            assert_eq!(rest(&calls).await, [Call::Lost(None)]);
        });
    });
}

#[test]
fn a_close_sends_what_was_buffered_before() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (receiver, to) = socket().await;
            let (served, _) = socket().await;
            let (recorder, calls) = Recorder::new(move |transport, call| {
                if *call == Call::Made {
                    for number in 0..50 {
                        transport.send_to(&[number], to);
                    }
                    transport.close();
                }
            });
            let (transport, _) = datagram(served, recorder);
            for number in 0..50 {
                let mut buf = [0; 16];
                let count = receiver.recv(&mut buf).await.expect("a datagram");
                assert_eq!(buf[..count], [number]);
            }
            transport.wait_closed().await;
            assert_eq!(rest(&calls).await, [Call::Made, Call::Lost(None)]);
        });
    });
}

#[test]
fn a_refused_datagram_is_told_and_the_socket_stays_in_use() {
    on_each(|runtime| {
        runtime.block_on(async {
            let gone = UdpSocket::bind(ALONE).await.expect("a socket");
            let nobody = gone.local_addr().expect("an address");
            drop(gone);
            let (served, address) = socket().await;
            served.connect(nobody).await.expect("no packet is sent");
            let (recorder, calls) = Recorder::new(|_, _| {});
            let (transport, _ended) = datagram(served, recorder);
            assert_eq!(transport.peer_addr().ip(), Some(nobody));
            assert_eq!(next(&calls).await, Call::Made);
            transport.send(b"anybody?");
            assert_eq!(
                next(&calls).await,
                Call::Error(ErrorKind::ConnectionRefused)
            );
            let peer = UdpSocket::bind(nobody).await.expect("free again");
            peer.send_to(b"now", address).await.expect("sent");
            assert_eq!(next(&calls).await, Call::Datagram(b"now".to_vec(), nobody));
        });
    });
}

#[test]
fn a_datagram_that_cannot_be_sent_is_told_and_the_next_one_goes() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (receiver, to) = socket().await;
            let (served, _) = socket().await;
            let (recorder, calls) = Recorder::new(|_, _| {});
            let (transport, _ended) = datagram(served, recorder);
            assert_eq!(next(&calls).await, Call::Made);
            transport.set_write_buffer_limits(1_000_000, 1_000);
            assert_eq!(transport.get_write_buffer_limits(), (1_000, 1_000_000));
            transport.send_to(&vec![0; 70_000], to);
            transport.send(b"not connected");
            transport.send_to(b"short", to);
            assert!(matches!(next(&calls).await, Call::Error(_)));
            assert!(matches!(next(&calls).await, Call::Error(_)));
            let mut buf = [0; 16];
            let count = receiver.recv(&mut buf).await.expect("a datagram");
            assert_eq!(&buf[..count], b"short");
        });
    });
}

#[test]
fn more_than_the_mark_pauses_and_then_resumes() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (_receiver, to) = socket().await;
            let (served, _) = socket().await;
            let (recorder, calls) = Recorder::new(move |transport, call| {
                if *call == Call::Made {
                    // Empty ones count too.
                    let mut count = 0;
                    while transport.send_to(&[], to) == Written::Taken {
                        count += 1;
                    }
                    assert!(count > 100);
                    let (_, high) = transport.get_write_buffer_limits();
                    assert!(transport.get_write_buffer_size() > high);
                }
            });
            let (transport, _ended) = datagram(served, recorder);
            assert_eq!(next(&calls).await, Call::Made);
            assert_eq!(next(&calls).await, Call::Pause);
            assert_eq!(next(&calls).await, Call::Resume);
            transport.drain().await.expect("not closed");
            let text = panic_text(|| transport.set_write_buffer_limits(1, 2));
            assert!(text.contains("low-water mark"), "{text}");
        });
    });
}

#[test]
fn however_the_service_ends_the_protocol_is_told_once() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let early = Call::Lost(Some(ErrorKind::ConnectionAborted));

            let (recorder, calls) = Recorder::new(|_, _| {});
            let (transport, _) = datagram(socket().await.0, recorder);
            transport.abort();
            transport.wait_closed().await;
            assert_eq!(rest(&calls).await, [Call::Made, Call::Lost(None)]);
            let error = transport.drain().await.expect_err("over");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);

            let (recorder, calls) = Recorder::new(|_, _| {});
            let (transport, ended) = datagram(socket().await.0, recorder);
            assert_eq!(next(&calls).await, Call::Made);
            ended.abort();
            transport.wait_closed().await;
            assert_eq!(rest(&calls).await, std::slice::from_ref(&early));

            let (served, address) = socket().await;
            let (recorder, calls) = Recorder::new(|_, call| {
                assert!(!matches!(call, Call::Datagram(..)), "expected");
            });
            let (_, ended) = datagram(served, recorder);
            let (client, own) = socket().await;
            client.send_to(b"x", address).await.expect("sent");
            assert!(ended.await.map(drop).expect_err("a panic").is_panic());
            let datagram = Call::Datagram(b"x".to_vec(), own);
            assert_eq!(rest(&calls).await, [Call::Made, datagram, early]);
        });
    });
}

#[test]
fn the_end_of_the_runtime_is_told() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let calls = runtime.block_on(async {
            let (recorder, calls) = Recorder::new(|_, _| {});
            drop(datagram(socket().await.0, recorder));
            assert_eq!(next(&calls).await, Call::Made);
            calls
        });
        drop(runtime);
        let lost = Call::Lost(Some(ErrorKind::ConnectionAborted));
        assert_eq!(calls.try_recv(), Ok(lost));
        assert!(calls.try_recv().is_err());
    });
}
