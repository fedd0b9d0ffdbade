//! The figures, as a table and as JSON.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::args::Args;
use crate::failure::{Context, Failure};
use crate::files::Files;
use crate::heartbeat::Figures;
use crate::isolated::Finished;
use crate::plain::Reference;
use crate::plan::Plan;
use crate::ways::Way;

/// Everything that was measured. The field names are those of the JSON.
#[derive(Serialize)]
pub(crate) struct Report {
    dir: String,
    files: usize,
    bytes: u64,
    passes: usize,
    connections: usize,
    cores: usize,
    plain_loop_seconds_per_pass: f64,
    ways: Vec<Row>,
}

/// What stands over the rows; `Row::line` has the same widths.
const HEADING: &str = "\
way            wall     MB/s      CPU    memory   heartbeat: p50      p99      max  late p99
                  s                 s        MB               µs       µs       µs        µs
";

/// The figures of one way.
#[derive(Serialize)]
struct Row {
    way: &'static str,
    wall_seconds: f64,
    megabytes_per_second: f64,
    cpu_seconds: Option<f64>,
    peak_memory_bytes: Option<u64>,
    heartbeat: Figures,
}

impl Row {
    /// A line of the table.
    fn line(&self) -> String {
        let cpu = self.cpu_seconds.map(|seconds| format!("{seconds:.2}"));
        let memory = self
            .peak_memory_bytes
            .map(|bytes| format!("{:.1}", bytes as f64 / 1e6));
        let unknown = || "?".to_owned();
        format!(
            "{:<10}{:>9.2}{:>9.1}{:>9}{:>10}{:>17.0}{:>9.0}{:>9.0}{:>10.0}\n",
            self.way,
            self.wall_seconds,
            self.megabytes_per_second,
            cpu.unwrap_or_else(unknown),
            memory.unwrap_or_else(unknown),
            self.heartbeat.p50_us,
            self.heartbeat.p99_us,
            self.heartbeat.max_us,
            self.heartbeat.late_p99_us,
        )
    }
}

impl Report {
    /// A report without any way yet.
    pub(crate) fn new(args: &Args, files: &Files, plan: &Plan, reference: &Reference) -> Self {
        Self {
            dir: args.dir.display().to_string(),
            files: files.names.len(),
            bytes: files.bytes,
            passes: plan.passes,
            connections: plan.connections,
            cores: plan.cores,
            plain_loop_seconds_per_pass: reference.pass.as_secs_f64(),
            ways: Vec::new(),
        }
    }

    /// Adds what a way has cost.
    pub(crate) fn add(&mut self, way: Way, finished: Finished) {
        let megabytes = self.bytes as f64 * self.passes as f64 / 1e6;
        self.ways.push(Row {
            way: way.name(),
            wall_seconds: finished.wall,
            megabytes_per_second: megabytes / finished.wall,
            cpu_seconds: finished.cpu,
            peak_memory_bytes: finished.memory,
            heartbeat: finished.heartbeat,
        });
    }

    /// The table for the user.
    pub(crate) fn table(&self) -> String {
        let megabytes = self.bytes as f64 / 1e6;
        let pass = Duration::from_secs_f64(self.plain_loop_seconds_per_pass);
        let mut table = format!(
            "{}: {}, {megabytes:.2} MB, {} ({pass:.1?} each in a plain loop)\n\
             {}, {}; all digests are right\n\n{HEADING}",
            self.dir,
            count(self.files, "file", "files"),
            count(self.passes, "pass", "passes"),
            count(self.connections, "connection", "connections"),
            count(self.cores, "core", "cores"),
        );
        for row in &self.ways {
            table.push_str(&row.line());
        }
        table
    }

    /// Writes the same figures to a file.
    pub(crate) fn write_json(&self, file: &Path) -> Result<(), Failure> {
        let doing = format!("cannot write {}", file.display());
        let mut json = serde_json::to_string_pretty(self).context(&doing)?;
        json.push('\n');
        fs::write(file, json).context(&doing)
    }
}

/// A number of things, in words.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Prints a text. A reader that has seen enough of it is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Run(format!("cannot print: {error}")))
        }
        _ => Ok(()),
    }
}
