//! Two processes that talk over a Unix socket: this program starts itself once more, and asks who it is talking to.

use gristmill::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use gristmill::net::{UnixListener, UnixStream};
use gristmill::process::Command;
use std::path::Path;
use std::{env, fs, io, process};

#[gristmill::main]
async fn main() -> io::Result<()> {
    match env::args_os().nth(1) {
        Some(path) => ask(path.as_ref()).await,
        None => {
            let path = env::temp_dir().join(format!("gristmill-{}.sock", process::id()));
            let outcome = answer(&path).await;
            fs::remove_file(&path)?;
            outcome
        }
    }
}

/// The process that was started first: it listens, starts the second, and answers it.
async fn answer(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?;
    let mut child = Command::new(env::current_exe()?)
        .arg(path)
        .kill_on_drop(true)
        .spawn()?;
    // The child might end without a word.
    let (stream, _) = gristmill::select! {
        accepted = listener.accept() => accepted?,
        status = child.wait() => return Err(io::Error::other(format!("the child: {}", status?))),
    };
    let peer = stream.peer_cred()?;
    let is_child = peer
        .pid()
        .is_none_or(|pid| child.id() == u32::try_from(pid).ok());
    println!(
        "first: the peer is process {:?}, the child: {is_child}",
        peer.pid()
    );
    let (reader, mut writer) = stream.into_split();
    let mut question = String::new();
    BufReader::new(reader).read_line(&mut question).await?;
    println!("first: asked {:?}", question.trim_end());
    writer.write_all(b"42").await?;
    writer.close().await?;
    println!("first: the child ended: {}", child.wait().await?);
    Ok(())
}

/// The process that was started second.
async fn ask(path: &Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(path).await?;
    stream.write_all(b"what is six times seven?\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    println!("second: answered {answer:?}");
    Ok(())
}
