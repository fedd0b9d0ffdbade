//! Holds no code: the tests beside it are what this package is for.
//!
//! A package cannot turn on features of its own for its tests. This one depends on gristmill with all of them, so that
//! `cargo test --workspace` runs what stands behind them.
