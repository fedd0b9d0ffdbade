//! Libraries for tokio's traits work on streams of this crate, without tokio's runtime.

#[path = "../../common/mod.rs"]
mod common;

use common::on_each;
use gristmill::fs::File;
use gristmill::io::{self, Async, Compat};
use gristmill::net::unix::{self, pipe};
use gristmill::net::{TcpListener, TcpStream, UnixStream, tcp};
use gristmill::process;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let one = TcpStream::connect(address).await.expect("a connection");
    let (other, _) = listener.accept().await.expect("a connection");
    (one, other)
}

/// As a library for tokio has it: anything both ways.
async fn upper_case(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    stream.write_all(text.to_uppercase().as_bytes()).await?;
    stream.shutdown().await
}

async fn converse(mut client: impl AsyncRead + AsyncWrite + Unpin) {
    client.write_all(b"shout").await.expect("a write");
    client.shutdown().await.expect("the end of this way");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("a read");
    assert_eq!(answer, "SHOUT");
}

#[test]
fn streams_have_the_traits_of_tokio() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (client, server) = tcp_pair().await;
            let serving = gristmill::spawn(upper_case(server));
            converse(client).await;
            serving.await.expect("no panic").expect("no error");

            let (client, server) = UnixStream::pair().expect("a pair");
            let serving = gristmill::spawn(upper_case(server));
            converse(client).await;
            serving.await.expect("no panic").expect("no error");
        });
    });
}

#[test]
fn halves_copy_from_one_connection_to_another() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut source, from) = tcp_pair().await;
            let (to, mut sink) = UnixStream::pair().expect("a pair");
            let sent: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
            let copying = gristmill::spawn(async move {
                let (mut from, _from_writer) = from.into_split();
                let (_to_reader, mut to) = to.into_split();
                let count = tokio::io::copy(&mut from, &mut to).await?;
                to.shutdown().await?;
                Ok::<_, std::io::Error>(count)
            });
            let copy = sent.clone();
            let sending = gristmill::spawn(async move {
                source.write_all(&copy).await?;
                let (_, mut writer) = source.split();
                writer.shutdown().await
            });
            let mut received = Vec::new();
            sink.read_to_end(&mut received).await.expect("a read");
            assert!(received == sent);
            sending.await.expect("no panic").expect("no error");
            let count = copying.await.expect("no panic").expect("no error");
            assert_eq!(count, sent.len() as u64);
        });
    });
}

#[test]
fn a_read_into_a_buffer_that_holds_something_goes_behind_it() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut one, mut other) = UnixStream::pair().expect("a pair");
            one.write_all(b"second").await.expect("a write");
            let mut text = b"first ".to_vec();
            text.reserve(100);
            other.read_buf(&mut text).await.expect("a read");
            assert_eq!(text, b"first second");
        });
    });
}

#[test]
fn a_wrapper_gives_the_traits_to_everything_else() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            let mut writer = Compat::new(Async::new(writer).expect("registered"));
            writer.write_all(b"through a pipe").await.expect("a write");
            writer.flush().await.expect("a flush");
            writer.shutdown().await.expect("a shutdown");
            drop(writer.into_inner());
            let mut reader = Compat::new(Async::new(reader).expect("registered"));
            let mut text = String::new();
            reader.read_to_string(&mut text).await.expect("a read");
            assert_eq!(text, "through a pipe");
        });
    });
}

#[test]
fn everything_that_reads_or_writes_has_the_traits() {
    fn reads<T: AsyncRead>() {}
    fn writes<T: AsyncWrite>() {}
    reads::<&TcpStream>();
    writes::<&UnixStream>();
    reads::<tcp::ReadHalf<'_>>();
    writes::<unix::WriteHalf<'_>>();
    reads::<pipe::Receiver>();
    writes::<pipe::Sender>();
    reads::<process::ChildStderr>();
    writes::<io::Stdout>();
    writes::<io::Stderr>();
    reads::<io::Stdin>();
}

#[test]
fn a_file_goes_through_a_pipe_and_a_process() {
    on_each(|runtime| {
        runtime.block_on(async {
            let sent: Vec<u8> = (0..300_000u32).map(|at| (at % 251) as u8).collect();
            let name = format!("gristmill-tokio-io-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, &sent).expect("a file");
            let mut file = File::open(&path).await.expect("there");
            let (mut writer, mut reader) = pipe::pipe().expect("a pipe");
            let filling = gristmill::spawn(async move {
                tokio::io::copy(&mut file, &mut writer).await?;
                writer.shutdown().await
            });

            let mut child = process::Command::new("cat")
                .stdin(process::Stdio::piped())
                .stdout(process::Stdio::piped())
                .spawn()
                .expect("started");
            let mut stdin = child.stdin.take().expect("piped");
            let feeding = gristmill::spawn(async move {
                tokio::io::copy(&mut reader, &mut stdin).await?;
                stdin.shutdown().await
            });

            let mut received = Vec::new();
            let mut stdout = child.stdout.take().expect("piped");
            stdout.read_to_end(&mut received).await.expect("a read");
            assert!(received == sent);
            filling.await.expect("no panic").expect("no error");
            feeding.await.expect("no panic").expect("no error");
            child.wait().await.expect("ended");
            std::fs::remove_file(&path).expect("there");
        });
    });
}
