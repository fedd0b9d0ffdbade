//! Child processes now and then: awaited, talked to, killed, or dropped.

use std::io;
use std::time::Duration;

use futures_lite::future::try_zip;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::process::{Command, Stdio};
use gristmill::time::sleep;

use super::super::ledger;
use super::super::pattern::{fill, first_wrong};
use super::super::stage::Stage;
use super::super::ticket::Ticket;
use super::super::verdict::{fault, violation};

/// More than a pipe holds.
const WORDS: usize = 100_000;

pub(super) async fn run(mut stage: Stage) {
    while stage.goes_on().await {
        let ticket = Ticket::new(&ledger::CHILDREN);
        let done = match stage.dice.u8(0..4) {
            0 => succeed(&mut stage).await,
            1 => talk(&mut stage).await,
            2 => kill(&mut stage).await,
            _ => {
                // Killed and reaped by the drop.
                let child = Command::new("sleep").arg("1000").kill_on_drop(true).spawn();
                child.map(drop)
            }
        };
        match done {
            Ok(()) => ticket.complete(),
            Err(error) => fault(format!("a child process: {error}")),
        }
        stage.lane.at("resting between two child processes");
        sleep(Duration::from_millis(stage.dice.u64(20..150))).await;
    }
}

async fn succeed(stage: &mut Stage) -> io::Result<()> {
    stage.lane.at("awaiting a child process");
    let status = Command::new("true").status().await?;
    if !status.success() {
        violation(format!("`true` ended with {status}"));
    }
    Ok(())
}

/// A child that says what it is told.
async fn talk(stage: &mut Stage) -> io::Result<()> {
    stage.lane.at("talking to a child process");
    let number = stage.setting.number();
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
        violation("a child was started without the pipes that it was to have");
        return Ok(());
    };
    let speak = async move {
        let mut words = vec![0; WORDS];
        fill(&mut words, number, 0);
        stdin.write_all(&words).await
    };
    let hear = async {
        let mut words = Vec::new();
        stdout.read_to_end(&mut words).await?;
        Ok(words)
    };
    let ((), heard) = try_zip(speak, hear).await?;
    if heard.len() != WORDS || first_wrong(&heard, number, 0).is_some() {
        violation("a child did not say what it was told");
    }
    if !child.wait().await?.success() {
        violation("`cat` failed");
    }
    Ok(())
}

async fn kill(stage: &mut Stage) -> io::Result<()> {
    stage.lane.at("killing a child process");
    let mut child = Command::new("sleep")
        .arg("1000")
        .kill_on_drop(true)
        .spawn()?;
    child.kill().await?;
    if child.wait().await?.success() {
        violation("a child that was killed says that all went well");
    }
    Ok(())
}
