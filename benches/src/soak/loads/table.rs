//! The loads, and how many lanes of each.

use std::pin::Pin;

use super::super::stage::Stage;
use super::{
    blocking, channels, children, files, groups, half_open, permits, sockets, tasks, timers,
};

/// Something that goes its rounds until the era is over.
pub(in super::super) struct Load {
    pub(in super::super) name: &'static str,
    /// How many go their rounds at once.
    pub(in super::super) lanes: usize,
    pub(in super::super) run: fn(Stage) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

macro_rules! load {
    ($name:literal, $lanes:literal, $run:path) => {
        Load {
            name: $name,
            lanes: $lanes,
            run: |stage| Box::pin($run(stage)),
        }
    };
}

/// All of them.
pub(in super::super) static ALL: &[Load] = &[
    load!("tasks", 3, tasks::run),
    load!("timers", 2, timers::run),
    load!("blocking", 2, blocking::run),
    load!("channels", 3, channels::run),
    load!("permits", 2, permits::run),
    load!("groups", 2, groups::run),
    load!("sockets", 8, sockets::run),
    load!("half-open peers", 2, half_open::run),
    load!("files", 2, files::run),
    load!("children", 1, children::run),
];
