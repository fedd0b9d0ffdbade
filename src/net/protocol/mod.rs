//! Callbacks instead of `await`: transports and protocols, as asyncio has them.
//!
//! A [`Protocol`] is told what happens to a connection, and answers through its [`Transport`]. Each connection is one task, in
//! which all of its callbacks run, one at a time:
//!
//! ```text
//!                            connection task
//!   peer ── stream ──▶ reads ──▶ data_received, eof_received ──▶ your protocol
//!             ▲                                                      │
//!             └────── writes ◀── link: buffer, water marks ◀── Transport::write, close, … ◀── any thread
//!                                 │
//!                                 └── pause_writing, resume_writing ──▶ your protocol
//! ```
//!
//! | asyncio | here |
//! |---|---|
//! | `loop.create_connection(factory, host, port)` | [`connect`]`(addr, protocol)` |
//! | `loop.create_unix_connection(factory, path)` | [`connect_unix`]`(path, protocol)` |
//! | `loop.create_server(factory, …)`, `create_unix_server` | [`serve`]`(listener, factory)` |
//! | `loop.create_datagram_endpoint(factory, …)` | [`datagram`]`(socket, protocol)` |
//! | `loop.connect_accepted_socket(factory, sock)` | [`attach`]`(stream, protocol)` |
//! | `transport.set_protocol(other)` | none: let a protocol of your own pass calls on to a `Box<dyn Protocol>` that it exchanges |
//! | `BufferedProtocol` | not needed: [`data_received`](Protocol::data_received) lends a buffer that is used again, without a copy |
//! | `loop.subprocess_exec(protocol, …)` | [`process::Command`](crate::process::Command) |
//!
//! # Which calls come when
//!
//! ```text
//!   connection_made  ( data_received* eof_received? | pause_writing resume_writing )*  connection_lost
//! ```
//!
//! `connection_made` is the first and `connection_lost` the last, each once: also if the peer is gone, the transport is aborted, a
//! callback panics, the task is aborted, the server is dropped or the runtime shuts down. Only a task that never ran, because its
//! runtime shut down before, makes neither call.
//!
//! A callback that panics ends its connection, and no other one. `connection_lost` is still called, and the panic
//! reaches whoever joins the connection's handle.
//!
//! # Memory
//!
//! A connection that waits holds at most 8 KiB of empty buffers: reads go through one buffer of 64 KiB for each thread. What was
//! written and not sent is held until the peer takes it. There is no bound on it but the one that the writer keeps: once a write answers
//! [`Written::Full`], or `pause_writing` is called, write no more until `resume_writing`, or until [`Transport::drain`]
//! returns. Whoever does so holds no more than the high-water mark (64 KiB by default) and one write.
//!
//! `pause_writing` comes after the callback that wrote, not inside of its writes, for one callback runs at a time: a loop that
//! writes looks at the answers. A relay, which passes on what another connection receives, calls
//! [`pause_reading`](Transport::pause_reading) on that one before each write, and
//! [`resume_reading`](Transport::resume_reading) when the answer is not `Full`, or in `resume_writing` later.
//!
//! # Examples
//!
//! An echo server and a client that hangs up after the echo:
//!
//! ```
//! use gristmill::net::TcpListener;
//! use gristmill::net::protocol::{Protocol, Transport, connect, serve};
//!
//! #[derive(Default)]
//! struct Echo(Option<Transport>);
//!
//! impl Protocol for Echo {
//!     fn connection_made(&mut self, transport: Transport) {
//!         self.0 = Some(transport);
//!     }
//!     fn data_received(&mut self, data: &[u8]) {
//!         if let Some(transport) = &self.0 {
//!             transport.write(data);
//!         }
//!     }
//! }
//!
//! #[derive(Default)]
//! struct Client {
//!     transport: Option<Transport>,
//!     answer: Vec<u8>,
//! }
//!
//! impl Protocol for Client {
//!     fn connection_made(&mut self, transport: Transport) {
//!         transport.write(b"hello");
//!         self.transport = Some(transport);
//!     }
//!     fn data_received(&mut self, data: &[u8]) {
//!         self.answer.extend_from_slice(data);
//!         if let Some(transport) = self.transport.take_if(|_| self.answer.len() == 5) {
//!             transport.close();
//!         }
//!     }
//! }
//!
//! gristmill::run(async {
//!     let server = serve(TcpListener::bind("127.0.0.1:0").await?, Echo::default);
//!     let address = server.local_addr().ip().expect("a TCP listener has one");
//!     let (_transport, ended) = connect(address, Client::default()).await?;
//!     let client = ended.await?;
//!     assert_eq!(client.answer, b"hello");
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

mod address;
mod callbacks;
mod pressure;

mod caller;
mod link;

mod connection;
mod open;
mod transport;

mod datagram_endpoint;
mod datagram_transport;

mod clients;
mod listener;
mod server;

pub use address::{Address, Endpoint};
pub use callbacks::{DatagramProtocol, Eof, Protocol};
pub use datagram_transport::DatagramTransport;
pub use link::Written;
pub use listener::Listener;
pub use open::{attach, connect, connect_unix, datagram};
pub use server::{Server, serve};
pub use transport::Transport;
