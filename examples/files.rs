//! Counts the lines of a folder's Rust files, several files at a time: `files [FOLDER]`, or this project's own sources.

use gristmill::fs::{self, File};
use gristmill::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdout};
use gristmill::stream::StreamExt;
use gristmill::task::JoinSet;
use std::io;
use std::path::PathBuf;

/// How many files are read at a time.
const AT_A_TIME: usize = 8;

/// The Rust files in a folder and in those below it.
async fn rust_files(folder: PathBuf) -> io::Result<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![folder], Vec::new());
    while let Some(folder) = folders.pop() {
        let mut entries = fs::read_dir(folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            let path = entry.path();
            if entry.file_type().await?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Reads to the end, with one hand-over to a thread for every 64 KiB.
async fn count_lines(path: PathBuf) -> io::Result<(PathBuf, usize)> {
    let mut lines = BufReader::new(File::open(&path).await?).lines();
    let mut count = 0;
    while let Some(line) = lines.next().await {
        line?;
        count += 1;
    }
    Ok((path, count))
}

#[gristmill::main]
async fn main() -> io::Result<()> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| own.into());
    let mut waiting = rust_files(folder.into()).await?.into_iter();
    let mut counting = JoinSet::new();
    for path in waiting.by_ref().take(AT_A_TIME) {
        counting.spawn(count_lines(path));
    }
    let (mut files, mut lines, mut longest) = (0, 0, (PathBuf::new(), 0));
    while let Some(counted) = counting.join_next().await {
        let (path, count) = counted??;
        (files, lines) = (files + 1, lines + count);
        if count > longest.1 {
            longest = (path, count);
        }
        // One has ended, so the next one may begin.
        if let Some(path) = waiting.next() {
            counting.spawn(count_lines(path));
        }
    }
    let (path, count) = longest;
    let path = path.display();
    let report = format!("{lines} lines in {files} files; the longest, {path}, has {count}\n");
    let mut out = stdout();
    out.write_all(report.as_bytes()).await?;
    out.flush().await
}
