//! The bar that shows how far the work is, on a terminal only.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for one part of the work after the other, or nothing at all.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar if standard error is a terminal.
    pub(crate) fn new() -> Self {
        Self {
            bar: stderr().is_terminal().then(ProgressBar::hidden),
        }
    }

    /// Whether there is anyone to show it to.
    pub(crate) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// Begins a part of the work with so many steps.
    pub(crate) fn begin(&mut self, name: &'static str, steps: usize) {
        self.end();
        if let Some(bar) = &mut self.bar {
            let style = ProgressStyle::with_template("{msg:<10} {wide_bar} {pos}/{len}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            *bar = ProgressBar::new(steps as u64)
                .with_style(style)
                .with_message(name);
        }
    }

    /// So many steps of this part are done.
    pub(crate) fn set(&self, steps: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(steps as u64);
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// No message is written next to a bar that is left over.
impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
