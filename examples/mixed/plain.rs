//! The plain loop: the right answers, and how long they take without any waiting.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::digest::Digest;
use crate::failure::{Context, Failure};
use crate::progress::Progress;
use crate::usage;
use crate::ways::Way;

/// A first pass this long is not repeated to find out what a pass takes with warm caches.
const LONG_ENOUGH: Duration = Duration::from_secs(1);

/// What the loop found out.
pub(crate) struct Reference {
    /// The right answer for each file.
    digests: Vec<Digest>,
    /// How long one pass over the files takes.
    pub(crate) pass: Duration,
    /// The processor time of one pass, where it is known: that is how much work it is, whatever
    /// else the machine is doing.
    pub(crate) work: Duration,
}

/// Reads and digests each file, one after the other.
pub(crate) fn run(dir: &Path, names: &[String], progress: &Progress) -> Result<Reference, Failure> {
    let cold = pass(dir, names, progress)?;
    if cold.pass < LONG_ENOUGH {
        pass(dir, names, progress)
    } else {
        Ok(cold)
    }
}

/// One pass over the files.
fn pass(dir: &Path, names: &[String], progress: &Progress) -> Result<Reference, Failure> {
    let (start, cpu) = (Instant::now(), usage::cpu_seconds());
    let mut digests = Vec::with_capacity(names.len());
    for name in names {
        let path = dir.join(name);
        let body = fs::read(&path).context(format_args!("cannot read {}", path.display()))?;
        digests.push(Digest::of(&body));
        progress.set(digests.len());
    }
    let pass = start.elapsed();
    let work = match (cpu, usage::cpu_seconds()) {
        (Some(before), Some(after)) => Duration::from_secs_f64((after - before).max(0.0)),
        _ => pass,
    };
    Ok(Reference {
        digests,
        pass,
        work,
    })
}

impl Reference {
    /// Compares what a way has found out with the right answers.
    pub(crate) fn check(
        &self,
        way: Way,
        names: &[String],
        digests: &[Digest],
    ) -> Result<(), Failure> {
        let way = way.name();
        if digests.len() != self.digests.len() {
            let (got, right) = (digests.len(), self.digests.len());
            return Err(Failure::Run(format!(
                "{way}: {got} digests for {right} files"
            )));
        }
        for ((name, right), got) in names.iter().zip(&self.digests).zip(digests) {
            if right != got {
                return Err(Failure::Run(format!(
                    "{way}: the digest of {name} is {got}; the plain loop found {right}. \
                     Either the file was changed meanwhile, or the way is broken"
                )));
            }
        }
        Ok(())
    }
}
