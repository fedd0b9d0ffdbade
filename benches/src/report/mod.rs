//! What all the processes said, put together.
//!
//! - `entry`: the outcomes of one scenario under one runtime, and what they come to
//! - `table`: for people
//! - `json`: for programs

mod entry;
mod json;
mod table;

pub(crate) use entry::Entry;
pub(crate) use json::save;
pub(crate) use table::print;
