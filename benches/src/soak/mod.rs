//! Everything at once, for as long as one likes, with an account of all that was started.
//!
//! ```text
//!   run ──▶ era ──▶ era ──▶ …          the life of one runtime each; both flavours, and all the ways to end
//!            │
//!            ├──▶ loads                tasks, sockets, jobs, timers, channels, permits, groups, files, children, outsiders
//!            │      │ tickets             aborted, dropped, reset and left half-open at random
//!            │      ▼
//!            │    ledger               what was started has ended, once: completed, cancelled or failed
//!            │      ▲
//!            └──▶ settle ──▶ flatness  descriptors, threads, children and memory are back where they were
//!
//!   watchdog                           a thread apart: who has not moved for 30 s is named, and the program ends
//!   verdict                            what was wrong; anything at all is a failure
//! ```
//!
//! - `ledger`, `ticket`: accounts, and the ticket that each thing carries that is started
//! - `lanes`: who is under way, what each is at, and when it last moved
//! - `watchdog`, `verdict`, `flatness`, `table`: who looks at all that, and says so
//! - `pattern`: bytes that tell their stream and their place in it
//! - `loads`: what goes on
//! - `stage`: what a load is given
//! - `era`, `ending`, `run`: one runtime, how it ends, and one after the other

mod ledger;
mod ticket;

mod lanes;
mod verdict;
mod watchdog;

mod flatness;

mod pattern;

mod stage;

mod loads;

mod ending;
mod era;

mod run;
mod table;

pub(crate) use run::run;
