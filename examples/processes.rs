//! Two children in a row, as `cat | sort -r` in a shell, and a third one that takes too long.

use gristmill::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use gristmill::process::{Command, Stdio};
use gristmill::stream::StreamExt;
use gristmill::time::{Duration, timeout};

#[gristmill::main]
async fn main() -> std::io::Result<()> {
    // What `cat` writes is what `sort` reads. Nothing of it passes through this process.
    let mut first = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let between: Stdio = first.stdout.take().expect("a pipe").try_into()?;
    let mut second = Command::new("sort")
        .arg("-r")
        .stdin(between)
        .stdout(Stdio::piped())
        .spawn()?;

    let mut input = first.stdin.take().expect("a pipe");
    input.write_all(b"ash\nbirch\ncedar\n").await?;
    // The end of the input, for which `sort` waits.
    drop(input);

    let mut lines = BufReader::new(second.stdout.take().expect("a pipe")).lines();
    while let Some(line) = lines.next().await {
        println!("{}", line?);
    }
    println!(
        "cat: {}, sort: {}",
        first.wait().await?,
        second.wait().await?
    );

    // Dropped when the time is up, and killed with that.
    let slow = Command::new("sleep")
        .arg("1000")
        .kill_on_drop(true)
        .status();
    if timeout(Duration::from_millis(20), slow).await.is_err() {
        println!("sleep: killed");
    }
    Ok(())
}
