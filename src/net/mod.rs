//! TCP, UDP and Unix sockets, name look-up.
//!
//! Every socket is a non-blocking one of the standard library inside of a
//! [`Registered`](runtime_core::Registered), which knows when an attempt is worth while:
//!
//! ```text
//!   TcpListener  TcpStream  UdpSocket  UnixListener  UnixStream  UnixDatagram      what users hold
//!        │           │          │           │            │            │
//!        │           ├──────────┼───────────┼────────────┤            │
//!        │       halves: the two ways of a stream, borrowed or owned  │
//!        │           │          │           │            │            │
//!     methods, traffic: what many kinds of sockets offer, written once│
//!        │           │          │           │            │            │
//!     socket: opening, connecting, accepting       byte_stream: reading, writing, closing
//!        └───────────┴──────────┴─── Registered ─────────┴────────────┘
//! ```
//!
//! `lookup` makes addresses of names before any of this begins; `mishap` says what an error of `accept` means. [`protocol`] serves sockets by callbacks instead of `await`.
//! Pipes are in [`unix::pipe`].
//!
//! # Which runtime a socket belongs to
//!
//! A socket hears of events from the runtime of the thread that made it: make it inside of
//! [`gristmill::run`](crate::run), a task, or [`Handle::enter`](crate::runtime::Handle::enter); elsewhere there is an error that
//! says so. After that it works on any thread, until its runtime shuts down.
//!
//! # Many tasks, one socket
//!
//! All methods take `&self`, so that a socket in an [`Arc`](std::sync::Arc) serves any number of tasks. Any number may wait
//! in the async methods at a time. Of those that call `poll_*` methods, or read and write through the traits of
//! [`io`](crate::io), only the last reader and the last writer are woken.

#[macro_use]
mod methods;
#[macro_use]
mod traffic;

mod byte_stream;
mod halves;
mod lookup;
mod mishap;
mod socket;

mod tcp_listener;
mod tcp_socket;
mod tcp_stream;

mod udp_socket;

mod unix_datagram;
mod unix_listener;
mod unix_stream;

pub mod tcp;
pub mod unix;

pub mod protocol;

pub use lookup::{ToSocketAddrs, lookup_host};
pub use tcp_listener::TcpListener;
pub use tcp_socket::TcpSocket;
pub use tcp_stream::TcpStream;
pub use udp_socket::UdpSocket;
pub use unix_datagram::UnixDatagram;
pub use unix_listener::UnixListener;
pub use unix_stream::UnixStream;
