//! What all the processes said, put together.
//!
//! - `entry`: the outcomes of one scenario under one runtime, and what they come to
//! - `table`: for people
//! - `json`: for programs
//! - `target`: what is to be reached, and whether it was
//! - `machine`, `chart`, `markdown`: a folder to publish

pub(crate) mod chart;
mod entry;
mod json;
pub(crate) mod machine;
mod markdown;
mod table;
mod target;

pub(crate) use entry::{Entry, Summary};
pub(crate) use json::save;
pub(crate) use markdown::write;
pub(crate) use table::{print, show};
