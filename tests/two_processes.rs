//! Two processes of ours that talk: through a pipe, a Unix socket, and TCP; and who is at the other end of a Unix socket.

mod child;
mod common;
mod wire;

use child::{child_of, is_child_of};
use common::{Flavour, on_each};
use gristmill::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use gristmill::net::unix::pipe;
use gristmill::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use gristmill::process::Stdio;
use wire::{echo, fresh_path, pattern};

/// Longer than any buffer between two processes.
const LENGTH: usize = 1 << 20;
/// Where the child of a test finds its parent.
const ADDRESS: &str = "GRISTMILL_TEST_ADDRESS";

fn address() -> String {
    std::env::var(ADDRESS).expect("the parent's address")
}

/// What the child of each test does: runs its part under a runtime of its own, and ends well.
fn play<F: Future<Output = std::io::Result<()>>>(part: impl FnOnce() -> F) -> ! {
    let outcome = Flavour::FourWorkers.runtime().block_on(part());
    outcome.expect("the child's part");
    std::process::exit(0);
}

/// Sends the pattern, and reads it back at the same time.
async fn converse(
    reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin + Send + 'static,
) {
    let writing = gristmill::spawn(async move {
        writer.write_all(&pattern(LENGTH)).await.expect("a write");
        writer.close().await.expect("the end");
    });
    let mut received = Vec::new();
    let mut reader = reader;
    reader.read_to_end(&mut received).await.expect("a read");
    assert!(received == pattern(LENGTH));
    writing.await.expect("no panic");
}

#[test]
fn through_two_pipes() {
    const TEST: &str = "through_two_pipes";
    if is_child_of(TEST) {
        play(async || {
            let mut input = pipe::OpenOptions::new().open_receiver("/dev/stdin")?;
            let mut output = pipe::OpenOptions::new().open_sender("/dev/stderr")?;
            gristmill::io::copy(&mut input, &mut output)
                .await
                .map(|_| ())
        });
    }
    on_each(|runtime| {
        runtime.block_on(async {
            let (from_child, to_parent) = std::io::pipe().expect("a pipe");
            let (to_read, to_child) = std::io::pipe().expect("a pipe");
            let mut command = child_of(TEST);
            command.stdin(to_read).stderr(to_parent);
            let mut child = command.spawn().expect("a child");
            // It holds the child's ends.
            drop(command);
            converse(
                pipe::Receiver::from_owned_fd(from_child.into()).expect("a receiver"),
                pipe::Sender::from_owned_fd(to_child.into()).expect("a sender"),
            )
            .await;
            assert!(child.wait().await.expect("an end").success());
        });
    });
}

#[test]
fn through_a_unix_socket() {
    const TEST: &str = "through_a_unix_socket";
    if is_child_of(TEST) {
        play(async || echo(UnixStream::connect(address()).await?).await);
    }
    on_each(|runtime| {
        runtime.block_on(async {
            let path = fresh_path();
            let listener = UnixListener::bind(&path).expect("a listener");
            let mut child = child_of(TEST)
                .env(ADDRESS, &path)
                .stderr(Stdio::inherit())
                .spawn()
                .expect("a child");
            let (stream, _) = listener.accept().await.expect("a connection");
            let (reader, writer) = stream.into_split();
            converse(reader, writer).await;
            assert!(child.wait().await.expect("an end").success());
            std::fs::remove_file(path).expect("the file of the socket");
        });
    });
}

#[test]
fn through_tcp() {
    const TEST: &str = "through_tcp";
    if is_child_of(TEST) {
        play(async || echo(TcpStream::connect(address()).await?).await);
    }
    on_each(|runtime| {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
            let address = listener.local_addr().expect("an address").to_string();
            let mut child = child_of(TEST)
                .env(ADDRESS, address)
                .stderr(Stdio::inherit())
                .spawn()
                .expect("a child");
            let (stream, _) = listener.accept().await.expect("a connection");
            let (reader, writer) = stream.into_split();
            converse(reader, writer).await;
            assert!(child.wait().await.expect("an end").success());
        });
    });
}

#[test]
#[cfg(target_os = "linux")]
fn each_end_of_a_unix_socket_knows_who_the_other_is() {
    const TEST: &str = "each_end_of_a_unix_socket_knows_who_the_other_is";
    if is_child_of(TEST) {
        play(async || {
            let mut stream = UnixStream::connect(address()).await?;
            let parent = rustix::process::getppid().map(|id| id.as_raw_nonzero().get());
            assert_eq!(stream.peer_cred()?.pid(), parent);
            stream.write_all(b"known").await
        });
    }
    on_each(|runtime| {
        runtime.block_on(async {
            let path = fresh_path();
            let listener = UnixListener::bind(&path).expect("a listener");
            let mut child = child_of(TEST)
                .env(ADDRESS, &path)
                .stderr(Stdio::inherit())
                .spawn()
                .expect("a child");
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let peer = stream.peer_cred().expect("an answer");
            assert_eq!(peer.pid(), child.id().map(u32::cast_signed));
            assert_eq!(peer.uid(), nix::unistd::getuid().as_raw());
            assert_eq!(peer.gid(), nix::unistd::getgid().as_raw());
            let mut text = String::new();
            stream.read_to_string(&mut text).await.expect("a read");
            assert_eq!(text, "known");
            assert!(child.wait().await.expect("an end").success());
            std::fs::remove_file(path).expect("the file of the socket");
        });
    });
}
