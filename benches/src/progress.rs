//! How far it is, where somebody looks on.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error, if that is a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(processes: usize) -> Self {
        let bar = ProgressBar::new(processes as u64);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} {msg}");
        bar.set_style(style.expect("the template is well-formed"));
        Self(bar)
    }

    /// Says what is measured now.
    pub(crate) fn begin(&self, what: &str) {
        self.0.set_message(what.to_owned());
        // Drawn now, since the next step may take long.
        self.0.tick();
    }

    /// The same, where it is known how far it is.
    pub(crate) fn begin_at(&self, position: u64, what: &str) {
        self.0.set_position(position);
        self.begin(what);
    }

    /// Counts a process.
    pub(crate) fn end(&self) {
        self.0.inc(1);
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
