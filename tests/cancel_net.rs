//! Waits of sockets and pipes that are given up, wherever they wait, lose no connection, byte or datagram, and leave no descriptor.

mod common;
mod wire;

use common::CountingWaker;
use common::ends::{End, at_every_end};
use gristmill::io::{Async, AsyncReadExt, AsyncWriteExt, Interest};
use gristmill::net::unix::pipe;
use gristmill::net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
};
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use wire::fresh_path;

/// A listener of ours, and where it is.
fn listener(end: &End) -> (Arc<TcpListener>, SocketAddr) {
    let bind = TcpListener::bind("127.0.0.1:0");
    let listener = end.runtime().block_on(bind).expect("a listener");
    let address = listener.local_addr().expect("an address");
    (Arc::new(listener), address)
}

/// A stream of ours, and its other end, which blocks.
fn stream() -> (Arc<UnixStream>, std::os::unix::net::UnixStream) {
    let (one, other) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let stream = UnixStream::from_std(one).expect("registered");
    // It counts as ready until an attempt shows that it is not.
    assert!(stream.try_read(&mut [0]).is_err());
    (Arc::new(stream), other)
}

/// Leaves no room for another byte.
fn fill(stream: &UnixStream) -> usize {
    let mut total = 0;
    while let Ok(count) = stream.try_write(&[7; 65_536]) {
        total += count;
    }
    while let Ok(count) = stream.try_write(&[7]) {
        total += count;
    }
    total
}

/// Reads what there is, and how much that was.
fn drain(mut stream: &std::os::unix::net::UnixStream) -> usize {
    stream.set_nonblocking(true).expect("an option");
    let mut total = 0;
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        total += count;
    }
    total
}

#[test]
fn an_accept_that_is_given_up_takes_no_connection_along() {
    at_every_end(|end| {
        let (listener, address) = listener(end);
        let own = Arc::clone(&listener);
        let accept = async move { own.accept().await.expect("a connection").1 };
        let mut clients = Vec::new();
        let got = end.of_woken(accept, |_| {
            clients.push(std::net::TcpStream::connect(address).expect("a connection"));
        });
        let left = clients.len() - usize::from(got.is_some());
        for _ in 0..left {
            let accepted = end.runtime().block_on(listener.accept());
            drop(accepted.expect("a connection"));
        }
        let mut none = pin!(listener.accept());
        assert!(CountingWaker::new().poll(&mut none).is_pending());
    });
    at_every_end(|end| {
        let path = fresh_path();
        let listener = Arc::new(UnixListener::bind(&path).expect("a listener"));
        let own = Arc::clone(&listener);
        let accept = async move { own.accept().await.expect("a connection").1 };
        let mut clients = Vec::new();
        let got = end.of_woken(accept, |_| {
            let client = std::os::unix::net::UnixStream::connect(&path);
            clients.push(client.expect("a connection"));
        });
        for _ in 0..clients.len() - usize::from(got.is_some()) {
            let accepted = end.runtime().block_on(listener.accept());
            drop(accepted.expect("a connection"));
        }
        std::fs::remove_file(path).expect("removed");
    });
}

#[test]
fn a_connect_or_bind_that_is_given_up_leaves_no_descriptor() {
    at_every_end(|end| {
        let (_listener, address) = listener(end);
        let port = address.port();
        let connect = async move {
            let by_name = TcpStream::connect(("localhost", port)).await;
            let socket = TcpSocket::new_v4().expect("a socket");
            let by_address = socket.connect(address).await;
            (by_name.is_ok(), by_address.is_ok())
        };
        let got = end.of_woken(connect, |_| {});
        assert!(got.is_none_or(|got| got.1));
    });
    at_every_end(|end| {
        let path = fresh_path();
        let _listener = UnixListener::bind(&path).expect("a listener");
        let own = path.clone();
        let connect = async move { UnixStream::connect(own).await.is_ok() };
        assert!(end.of_woken(connect, |_| {}).is_none_or(|done| done));
        std::fs::remove_file(path).expect("removed");
    });
    at_every_end(|end| {
        let bind = async {
            drop(TcpListener::bind("localhost:0").await);
            drop(UdpSocket::bind("localhost:0").await);
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
            let target = socket.local_addr().expect("an address");
            socket.connect(("localhost", target.port())).await.ok();
            socket
                .send_to(b"x", ("localhost", target.port()))
                .await
                .ok();
        };
        end.of_woken(bind, |_| {});
    });
}

#[test]
fn waits_for_readiness_that_are_given_up_use_none_up() {
    at_every_end(|end| {
        let (stream, mut other) = stream();
        let own = Arc::clone(&stream);
        let waits = async move {
            own.readable().await.expect("in order");
            own.ready(Interest::READABLE).await.expect("in order");
            own.async_io(Interest::READABLE, || Ok(()))
                .await
                .expect("in order");
        };
        end.of_woken(waits, |_| other.write_all(b"x").expect("written"));
        other.write_all(b"y").expect("written");
        end.runtime().block_on(stream.readable()).expect("in order");
        let mut buffer = [0; 9];
        assert!(stream.try_read(&mut buffer).is_ok_and(|count| count > 0));
    });
    at_every_end(|end| {
        let (stream, other) = stream();
        fill(&stream);
        let own = Arc::clone(&stream);
        let waits = async move { own.writable().await.expect("in order") };
        end.of_woken(waits, |_| {
            drain(&other);
        });
        drain(&other);
        end.runtime().block_on(stream.writable()).expect("in order");
    });
}

#[test]
fn a_wait_through_a_half_that_is_given_up_leaves_nothing() {
    at_every_end(|end| {
        let (one, mut other) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let stream = UnixStream::from_std(one).expect("registered");
        let (reader, writer) = stream.into_split();
        assert!(reader.try_read(&mut [0]).is_err(), "nothing yet");
        let waits = async move {
            writer.writable().await.expect("in order");
            writer.ready(Interest::WRITABLE).await.expect("in order");
            reader.readable().await.expect("in order");
            reader.ready(Interest::READABLE).await.expect("in order");
        };
        end.of_woken(waits, |_| other.write_all(b"x").expect("written"));
    });
}

#[test]
fn a_peek_or_a_read_that_is_given_up_leaves_the_bytes() {
    at_every_end(|end| {
        let (listener, address) = listener(end);
        let mut client = std::net::TcpStream::connect(address).expect("a connection");
        let (stream, _) = end
            .runtime()
            .block_on(listener.accept())
            .expect("a connection");
        let (stream, own) = {
            let shared = Arc::new(stream);
            (Arc::clone(&shared), shared)
        };
        let peek = async move { own.peek(&mut [0; 4]).await.expect("bytes") };
        end.of_woken(peek, |_| client.write_all(b"1").expect("written"));
        client.write_all(b"!").expect("written");
        let mut all = Vec::new();
        drop(client);
        let mut reader = &*stream;
        end.runtime()
            .block_on(reader.read_to_end(&mut all))
            .expect("bytes");
        assert_eq!(all.pop(), Some(b'!'), "none was taken");
    });
    at_every_end(|end| {
        let (stream, mut other) = stream();
        let own = Arc::clone(&stream);
        let read = async move {
            let mut buffer = [0; 2];
            let count = (&*own).read(&mut buffer).await.expect("bytes");
            // All that is left, so that the next one waits.
            let left = own.try_read(&mut [0; 9]).unwrap_or(0);
            let mut buffers = [IoSliceMut::new(&mut buffer)];
            let more = (&*own).read_vectored(&mut buffers).await;
            count + left + more.expect("bytes")
        };
        let mut written = 0;
        // The place of the reader keeps its waker, until somebody else reads or the stream is gone.
        let got = end.may_keep_waker().of_woken(read, |_| {
            written += 3;
            other.write_all(b"123").expect("written");
        });
        drop(other);
        let mut rest = Vec::new();
        let mut reader = &*stream;
        end.runtime()
            .block_on(reader.read_to_end(&mut rest))
            .expect("bytes");
        match got {
            Some(got) => assert_eq!(rest.len(), written - got),
            // The first of the two had come, or not; it was whole.
            None => assert!([written, written.saturating_sub(3)].contains(&rest.len())),
        }
    });
}

#[test]
fn a_write_that_is_given_up_has_written_nothing() {
    at_every_end(|end| {
        let (stream, other) = stream();
        let mut written = fill(&stream);
        let own = Arc::clone(&stream);
        let write = async move { (&*own).write(&[8; 10]).await.expect("room") };
        let mut read = 0;
        let got = end
            .may_keep_waker()
            .of_woken(write, |_| read += drain(&other));
        written += got.unwrap_or(0);
        assert_eq!(read + drain(&other), written);
    });
    at_every_end(|end| {
        let (stream, other) = stream();
        let mut written = fill(&stream);
        let own = Arc::clone(&stream);
        let write = async move {
            let buffers = [IoSlice::new(&[8; 10]), IoSlice::new(&[9; 10])];
            (&*own).write_vectored(&buffers).await.expect("room")
        };
        let mut read = 0;
        let got = end
            .may_keep_waker()
            .of_woken(write, |_| read += drain(&other));
        written += got.unwrap_or(0);
        assert_eq!(read + drain(&other), written);
    });
}

#[test]
fn a_receive_of_datagrams_that_is_given_up_loses_none() {
    at_every_end(|end| {
        let bind = UdpSocket::bind("127.0.0.1:0");
        let socket = Arc::new(end.runtime().block_on(bind).expect("bound"));
        let address = socket.local_addr().expect("an address");
        let client = std::net::UdpSocket::bind("127.0.0.1:0").expect("bound");
        client.connect(address).expect("connected");
        let peer = client.local_addr().expect("an address");
        end.runtime()
            .block_on(socket.connect(peer))
            .expect("connected");
        let own = Arc::clone(&socket);
        let receive = async move {
            let mut buffer = [0; 8];
            own.peek_from(&mut buffer).await.expect("a datagram");
            own.peek(&mut buffer).await.expect("a datagram");
            own.recv_from(&mut buffer).await.expect("a datagram");
            buffer[0]
        };
        let mut sent = 0;
        let got = end.of_woken(receive, |_| {
            sent += 1;
            client.send(&[sent]).expect("sent");
        });
        // Every one that was not received, in order, and then the mark.
        client.send(&[0]).expect("sent");
        let mut left = Vec::new();
        while left.last() != Some(&0) {
            let mut buffer = [9; 1];
            end.runtime()
                .block_on(socket.recv(&mut buffer))
                .expect("a datagram");
            left.push(buffer[0]);
        }
        left.pop();
        assert_eq!(left, (1 + got.unwrap_or(0)..=sent).collect::<Vec<_>>());
    });
    at_every_end(|end| {
        let (socket, other) = UnixDatagram::pair().expect("a pair");
        let socket = Arc::new(socket);
        let own = Arc::clone(&socket);
        let receive = async move {
            let mut buffer = [0; 8];
            own.peek(&mut buffer).await.expect("a datagram");
            own.recv(&mut buffer).await.expect("a datagram");
            let first = buffer[0];
            own.recv_from(&mut buffer).await.expect("a datagram");
            (first, buffer[0])
        };
        let mut sent = 0;
        let got = end.of_woken(receive, |_| {
            sent += 1;
            other.try_send(&[sent]).expect("sent");
        });
        let mut left = Vec::new();
        let mut buffer = [0; 8];
        end.runtime().block_on(other.send(&[0])).expect("sent");
        while left.last() != Some(&0) {
            end.runtime()
                .block_on(socket.recv(&mut buffer))
                .expect("a datagram");
            left.push(buffer[0]);
        }
        left.pop();
        // At most the first was on its way inside of the future.
        assert!(got.is_none_or(|got| got == (1, 2)));
        let first = left.first().copied().unwrap_or(sent + 1);
        assert!(first <= 3 && left == (first..=sent).collect::<Vec<_>>());
    });
}

#[test]
fn a_send_of_a_datagram_that_is_given_up_sends_it_or_does_not() {
    at_every_end(|end| {
        let path = fresh_path();
        let receiver = std::os::unix::net::UnixDatagram::bind(&path).expect("bound");
        receiver.set_nonblocking(true).expect("an option");
        let sender = Arc::new(UnixDatagram::unbound().expect("a socket"));
        let mut sent = 0;
        while sender.try_send_to(b"fill", &path).is_ok() {
            sent += 1;
        }
        let (own, to) = (Arc::clone(&sender), path.clone());
        let send = async move {
            own.send_to(b"late", &to).await.expect("sent");
            own.connect(&to).expect("connected");
            own.send(b"last").await.expect("sent");
        };
        let receive = || {
            let mut count = 0;
            while receiver.recv(&mut [0; 8]).is_ok() {
                count += 1;
            }
            count
        };
        let mut received = 0;
        let got = end.of_woken(send, |_| received += receive());
        received += receive();
        match got {
            Some(()) => assert_eq!(received, sent + 2),
            None => assert!((sent..=sent + 1).contains(&received)),
        }
        std::fs::remove_file(path).expect("removed");
    });
}

#[test]
fn waits_of_pipes_and_other_descriptors_that_are_given_up_leave_none() {
    at_every_end(|end| {
        let (sender, receiver) = pipe::pipe().expect("a pipe");
        assert!(receiver.try_read(&mut [0]).is_err(), "nothing yet");
        let sender = Arc::new(sender);
        let own = Arc::clone(&sender);
        let waits = async move {
            own.writable().await.expect("in order");
            own.ready(Interest::WRITABLE).await.expect("in order");
            receiver.readable().await.expect("in order");
            receiver.ready(Interest::READABLE).await.expect("in order");
            receiver.try_read(&mut [0; 8]).expect("bytes")
        };
        let got = end.of_woken(waits, |_| {
            sender.try_write(b"x").expect("room");
        });
        assert!(got.is_none_or(|count| count > 0));
    });
    at_every_end(|end| {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let reader = Async::new(reader).expect("registered");
        let waits = async move {
            let read = |mut pipe: &std::io::PipeReader| pipe.read(&mut [0; 8]);
            let count = reader.read_with(read).await.expect("bytes");
            reader.readable().await.expect("in order");
            reader.ready(Interest::READABLE).await.expect("in order");
            count
        };
        let got = end.of_woken(waits, |_| writer.write_all(b"x").expect("written"));
        assert!(got.is_none_or(|count| count > 0));
    });
    at_every_end(|end| {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let writer = Async::new(writer).expect("registered");
        let fill = |mut pipe: &std::io::PipeWriter| pipe.write(&[1; 4096]);
        while writer.get_ref().write(&[1; 4096]).is_ok() {}
        let waits = async move {
            writer.write_with(fill).await.expect("room");
            writer.writable().await.expect("in order");
        };
        let mut has_room = false;
        end.of_woken(waits, |_| {
            // The news of an earlier readiness may wake once more than is needed, and a read of the emptied pipe would wait.
            if !has_room {
                has_room = true;
                assert!(reader.read(&mut [0; 65_536]).is_ok_and(|count| count > 0));
            }
        });
    });
}
