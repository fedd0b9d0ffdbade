//! What was seen of a source is forgotten once an attempt shows that it is over, and not before.

mod common;

use common::on_each;
use gristmill::io::{Async, AsyncReadExt, AsyncWriteExt};
#[cfg(target_os = "linux")]
use gristmill::net::UnixStream;
use gristmill::net::{TcpListener, TcpStream};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

/// A named pipe, removed on drop.
struct Fifo(PathBuf);

impl Fifo {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gristmill-fifo-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a named pipe");
        Self(path)
    }

    fn reader(&self) -> File {
        let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        OpenOptions::new()
            .read(true)
            .custom_flags(nonblocking)
            .open(&self.0)
            .expect("a reader")
    }

    fn writer(&self) -> File {
        OpenOptions::new()
            .write(true)
            .open(&self.0)
            .expect("a writer")
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_pipe_that_gets_a_new_writer_after_its_end_is_waited_for_again() {
    on_each(|runtime| {
        runtime.block_on(async {
            let fifo = Fifo::new();
            let mut reader = Async::new(fifo.reader()).expect("registered");
            let mut writer = fifo.writer();
            writer.write_all(b"first").expect("a write");
            drop(writer);
            let mut room = [0; 16];
            assert_eq!(reader.read(&mut room).await.expect("a read"), 5);
            assert_eq!(reader.read(&mut room).await.expect("the end"), 0);

            let mut writer = fifo.writer();
            let mut reading = pin!(reader.read(&mut room));
            // An end that is remembered for ever would be tried for ever, within this one poll.
            assert!(
                reading
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
            writer.write_all(b"second").expect("a write");
            assert_eq!(reading.await.expect("a read"), 6);
        });
    });
}

#[test]
fn bytes_behind_urgent_data_are_read() {
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address");
            let mut client = TcpStream::connect(address).await.expect("a connection");
            let (mut server, _) = listener.accept().await.expect("a connection");
            let mut room = [0; 64];
            // A long-lived connection, on which a short read means that nothing is left.
            for _ in 0..16 {
                client.write_all(b"x").await.expect("a write");
                server.read_exact(&mut room[..1]).await.expect("a read");
            }
            client.write_all(b"0123456789").await.expect("a write");
            socket2::SockRef::from(&client)
                .send_out_of_band(b"!")
                .expect("urgent data");
            client.write_all(b"abcdefghij").await.expect("a write");
            server.read_exact(&mut room[..20]).await.expect("a read");
            assert_eq!(&room[..20], b"0123456789abcdefghij");
        });
    });
}

/// Whether a poller of this process knows the descriptor.
#[cfg(target_os = "linux")]
fn is_registered(stream: &UnixStream) -> bool {
    use std::os::fd::AsRawFd;
    let number = stream.as_raw_fd().to_string();
    let pollers = std::fs::read_dir("/proc/self/fdinfo").expect("mounted");
    // What closes meanwhile is no poller of this test's runtime.
    let pollers = pollers.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok());
    pollers.into_iter().any(|poller| {
        let mut known = poller.lines().filter_map(|line| line.strip_prefix("tfd:"));
        known.any(|line| line.split_whitespace().next() == Some(&number))
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_stream_whose_peer_answers_before_its_task_is_polled_again_is_never_registered() {
    // Of several workers another one may be first.
    common::within("one worker", || {
        common::Flavour::CurrentThread.runtime().block_on(async {
            let (mut here, mut there) = UnixStream::pair().expect("a pair");
            let reading = gristmill::spawn(async move {
                let writing = gristmill::spawn(async move {
                    there.write_all(b"at once").await.expect("a write");
                    there
                });
                let mut room = [0; 16];
                let count = here.read(&mut room).await.expect("a read");
                (here, count, writing.await.expect("no panic"))
            });
            let (here, count, there) = reading.await.expect("no panic");
            assert_eq!(count, 7);
            assert!(!is_registered(&here));
            assert!(!is_registered(&there));
        })
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_stream_whose_peer_takes_its_time_is_registered_however_busy_the_others_are() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (here, mut there) = UnixStream::pair().expect("a pair");
            let here = std::sync::Arc::new(here);
            let reader = std::sync::Arc::clone(&here);
            let reading = gristmill::spawn(async move {
                let mut room = [0; 16];
                (&*reader).read(&mut room).await.expect("a read")
            });
            let busy = gristmill::spawn(async {
                loop {
                    gristmill::task::yield_now().await;
                }
            });
            while !is_registered(&here) {
                gristmill::task::yield_now().await;
            }
            there.write_all(b"in the end").await.expect("a write");
            assert_eq!(reading.await.expect("no panic"), 10);
            busy.abort();
        });
    });
}
