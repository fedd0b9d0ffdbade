//! Files in a folder of their own: what is written is read, and what is dropped in the middle leaves nothing open.

use std::io::{self, SeekFrom};
use std::path::Path;
use std::time::Duration;

use gristmill::fs;
use gristmill::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use gristmill::time::timeout;

use super::super::ledger;
use super::super::pattern::{fill, first_wrong};
use super::super::stage::Stage;
use super::super::ticket::{Ticket, task};
use super::super::verdict::{fault, violation};

/// Most bytes of a file.
const LENGTH: usize = 64 * 1024;

pub(super) async fn run(mut stage: Stage) {
    while stage.goes_on().await {
        let number = stage.setting.number();
        let path = stage.setting.folder.join(number.to_string());
        let length = stage.dice.usize(0..LENGTH);
        if stage.once_in(4) {
            give_up(&mut stage, path.clone(), length).await;
        } else {
            stage.lane.at("writing and reading a file");
            let ticket = Ticket::new(&ledger::FILES);
            match write_and_read(&path, number, length).await {
                Ok(()) => ticket.complete(),
                Err(error) => fault(format!("a file: {error}")),
            }
        }
        stage.lane.at("removing a file");
        match fs::remove_file(&path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                fault(format!("a file is not removed: {error}"));
            }
            _ => {}
        }
    }
}

async fn write_and_read(path: &Path, number: u64, length: usize) -> io::Result<()> {
    let mut contents = vec![0; length];
    fill(&mut contents, number, 0);
    let mut file = fs::File::options();
    let mut file = file
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .await?;
    for piece in contents.chunks(5_000) {
        file.write_all(piece).await?;
    }
    file.flush().await?;
    file.seek(SeekFrom::Start(0)).await?;
    let mut back = Vec::new();
    file.read_to_end(&mut back).await?;
    drop(file);
    let whole = fs::read(path).await?;
    if back.len() != length || whole != back || first_wrong(&back, number, 0).is_some() {
        violation("a file does not hold what was written");
    }
    Ok(())
}

/// Operations that are dropped or aborted half-way; what comes of them is their own business, but they end.
async fn give_up(stage: &mut Stage, path: std::path::PathBuf, length: usize) {
    stage.lane.at("giving up a file");
    let patience = stage.micros(0..300);
    let mut claim = task(|ticket| async move {
        let _ = timeout(patience, write_and_give_up(&path, length)).await;
        ticket
    });
    if stage.once_in(2) {
        gristmill::time::sleep(Duration::from_micros(100)).await;
        claim.abort();
    }
    claim.result().await;
}

async fn write_and_give_up(path: &Path, length: usize) -> io::Result<()> {
    let _ticket = Ticket::new(&ledger::FILES);
    let mut file = fs::File::create(path).await?;
    for piece in vec![0; length].chunks(1_000) {
        file.write_all(piece).await?;
    }
    file.sync_all().await
}
