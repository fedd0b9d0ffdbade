//! How a scenario becomes figures.
//!
//! - `effort`: how long to measure
//! - `repeat`: the same batch over and over, each timed
//! - `window`: many tasks at once, timed from outside
//! - `usage`: what the kernel has booked on this process
//! - `children`: the same, of processes that work for this one
//! - `bystanders`: what the rest of the machine took meanwhile
//! - `quantile`: medians and tails
//! - `sample`: the figures, as they leave the process

mod bystanders;
pub(crate) mod children;
mod effort;
mod quantile;
mod repeat;
mod sample;
mod usage;
mod window;

pub(crate) use bystanders::{Bystanders, CALM};
pub(crate) use effort::Effort;
pub(crate) use quantile::{median, quantile};
pub(crate) use repeat::repeat;
pub(crate) use sample::{Latency, Outcome, Sample};
pub(crate) use usage::{Usage, raise_descriptor_limit, resident_bytes};
pub(crate) use window::{Phase, Timing, Window};
