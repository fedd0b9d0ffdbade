//! The command line.

use std::env;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::failure::Failure;
use crate::ways::Way;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Serves, fetches, digests and compresses the files below DIR in three ways, and compares them.

Usage: mixed [DIR] [--json FILE]

  DIR          a folder; default: the sources that this program was built from.
               Folders named `target` and `.git` are skipped, links are not followed.
  --json FILE  write the figures to FILE as well
  -h, --help   show this text

Columns of the table:
  wall       seconds from nothing to the last digest
  MB/s       megabytes of file contents per second of wall
  CPU        processor seconds, user and system, of the way and its children
  memory     peak resident memory; of processes, the sum of their peaks
  heartbeat  round trip of a 64-byte request that is made every millisecond meanwhile;
             `late` is how long after its millisecond a request was made (99th percentile)

Exit codes: 0 all ways gave the right digests, 1 something failed, 2 wrong arguments.
";

/// What this process is for.
pub(crate) enum Role {
    /// Show the help.
    Help,
    /// Compare the ways: what the user started.
    Compare(Args),
    /// Go one way: started by the comparison.
    Way(Way),
    /// Work for the way of processes: started by that way.
    Worker,
}

/// What the user asked for.
pub(crate) struct Args {
    /// The folder with the files.
    pub(crate) dir: PathBuf,
    /// Where the figures go besides the table.
    pub(crate) json: Option<PathBuf>,
}

/// Reads the command line of this process.
pub(crate) fn parse() -> Result<Role, Failure> {
    let mut dir = None;
    let mut json = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Short('h') | Long("help") => return Ok(Role::Help),
            Long("json") if json.is_none() => json = Some(parser.value().map_err(usage)?.into()),
            // The two hidden ones are for this program itself.
            Long("way") => {
                let way = parser
                    .value()
                    .and_then(|name| name.parse_with(Way::from_name));
                return way.map(Role::Way).map_err(usage);
            }
            Long("worker") => return Ok(Role::Worker),
            Value(value) if dir.is_none() => dir = Some(value.into()),
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok(Role::Compare(Args {
        dir: dir.unwrap_or_else(default_dir),
        json,
    }))
}

impl Args {
    /// Finds out what is wrong with DIR and FILE before any work is done for nothing.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let dir = self.dir.display();
        match fs::metadata(&self.dir) {
            Err(error) => return Err(usage(format!("cannot read {dir}: {error}"))),
            Ok(found) if !found.is_dir() => return Err(usage(format!("{dir} is not a folder"))),
            Ok(_) => {}
        }
        match &self.json {
            Some(file) => check_writable(file)
                .map_err(|reason| usage(format!("cannot write {}: {reason}", file.display()))),
            None => Ok(()),
        }
    }
}

/// Whether a file can be written, without leaving a trace of the question.
fn check_writable(file: &Path) -> Result<(), String> {
    if file.exists() {
        return match OpenOptions::new().append(true).open(file) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
    }
    match file.parent() {
        Some(folder) if folder.as_os_str().is_empty() || folder.is_dir() => Ok(()),
        _ => Err("its folder does not exist".to_owned()),
    }
}

/// The sources that this program was built from, or the current folder where they are gone.
fn default_dir() -> PathBuf {
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    if sources.is_dir() {
        sources
    } else {
        PathBuf::from(".")
    }
}

/// A mistake of the caller.
fn usage(message: impl ToString) -> Failure {
    Failure::Usage(message.to_string())
}
