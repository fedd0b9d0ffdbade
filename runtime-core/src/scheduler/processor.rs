//! Which processor a thread runs on, and which one a socket's traffic is taken in on.
//!
//! Only Linux tells both.

use std::os::fd::BorrowedFd;

/// The processor that the calling thread runs on just now.
#[cfg(all(target_os = "linux", not(gristmill_shuttle)))]
pub(super) fn current() -> Option<u32> {
    u32::try_from(rustix::thread::sched_getcpu()).ok()
}

/// This system does not tell.
#[cfg(not(all(target_os = "linux", not(gristmill_shuttle))))]
pub(super) fn current() -> Option<u32> {
    None
}

/// The processor that took in the last packet of a socket. `None` if the descriptor is no socket, or of a family that has no
/// packets.
#[cfg(all(target_os = "linux", not(gristmill_shuttle)))]
pub(super) fn of_traffic(socket: BorrowedFd<'_>) -> Option<u32> {
    let processor = rustix::net::sockopt::socket_incoming_cpu(socket).ok()?;
    // A socket without traffic says -1.
    (i32::try_from(processor).is_ok()).then_some(processor)
}

/// This system does not tell.
#[cfg(not(all(target_os = "linux", not(gristmill_shuttle))))]
pub(super) fn of_traffic(_socket: BorrowedFd<'_>) -> Option<u32> {
    None
}

#[cfg(all(test, target_os = "linux"))]
pub(super) mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    #[test]
    fn what_is_no_socket_has_no_processor() {
        let file = std::fs::File::open("/dev/null").expect("it is always there");
        assert_eq!(of_traffic(file.as_fd()), None);
    }

    /// A socket that has received a byte, and its peer.
    pub(in crate::scheduler) fn with_traffic() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let mut peer = TcpStream::connect(address).expect("the listener is there");
        let (mut socket, _) = listener.accept().expect("the peer is there");
        peer.write_all(b"x").expect("the socket is there");
        socket.read_exact(&mut [0]).expect("the peer has written");
        (socket, peer)
    }

    #[test]
    fn a_socket_with_traffic_names_a_processor() {
        let (socket, _peer) = with_traffic();
        assert!(of_traffic(socket.as_fd()).is_some());
        assert!(current().is_some());
    }
}
