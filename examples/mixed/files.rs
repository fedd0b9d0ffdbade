//! Which files there are to serve.
//!
//! # Invariants
//!
//! - I1. The order is the same on every listing of the same tree: sorted by name, folder by folder.
//! - I2. The names are relative to the listed folder, and are text, so that they can pass between
//!   processes.

use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::failure::{Context, Failure};

/// Folders that hold what was built, not what was written.
const SKIPPED: [&str; 2] = ["target", ".git"];
/// At most so many files are taken.
const MOST_FILES: usize = 20_000;
/// At most so many bytes are taken. They can all be in memory at once, on both ends.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// Folders below folders, at most.
const DEEPEST: usize = 64;

/// The files below a folder.
pub(crate) struct Files {
    /// Their names (I1, I2).
    pub(crate) names: Vec<String>,
    /// The sum of their sizes when they were listed.
    pub(crate) bytes: u64,
    /// What was left out, as sentences.
    pub(crate) notes: Vec<String>,
}

/// Lists the regular files below a folder, within the bounds above. A folder without any is an
/// error of the caller.
pub(crate) fn list(dir: &Path) -> Result<Files, Failure> {
    let mut files = Files {
        names: Vec::new(),
        bytes: 0,
        notes: Vec::new(),
    };
    let (mut too_large, mut unnamed) = (0, 0);
    let entries = WalkDir::new(dir)
        .max_depth(DEEPEST)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !is_skipped(entry));
    for entry in entries {
        let entry = entry.context("cannot list the files")?;
        if !entry.file_type().is_file() {
            continue;
        }
        let size = entry.metadata().context("cannot list the files")?.len();
        let name = entry.path().strip_prefix(dir).ok().and_then(Path::to_str);
        match name {
            None => unnamed += 1,
            Some(_) if size > MOST_BYTES - files.bytes => too_large += 1,
            Some(name) => {
                files.names.push(name.to_owned());
                files.bytes += size;
            }
        }
        if files.names.len() == MOST_FILES {
            files
                .notes
                .push(format!("only the first {MOST_FILES} files are taken"));
            break;
        }
    }
    if too_large > 0 {
        let most = MOST_BYTES >> 20;
        files.notes.push(format!(
            "{too_large} files left out: more than {most} MiB in all"
        ));
    }
    if unnamed > 0 {
        files.notes.push(format!(
            "{unnamed} files left out: their names are not text"
        ));
    }
    if files.names.is_empty() {
        let mut message = format!("{} has no regular files to serve", dir.display());
        for note in &files.notes {
            message = format!("{message}; {note}");
        }
        return Err(Failure::Usage(message));
    }
    Ok(files)
}

/// Whether this is a folder (below the first) whose contents are not wanted.
fn is_skipped(entry: &DirEntry) -> bool {
    entry.depth() > 0
        && entry.file_type().is_dir()
        && SKIPPED.iter().any(|name| entry.file_name() == *name)
}
