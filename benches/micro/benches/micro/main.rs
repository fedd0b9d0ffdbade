//! Parts of gristmill on their own, timed.
//!
//! ```text
//!   RUSTFLAGS="--cfg gristmill_bench" cargo bench -p micro-benches              all
//!   RUSTFLAGS="--cfg gristmill_bench" cargo bench -p micro-benches -- wheel     those with `wheel` in their name
//!   … -- --test                                                                 each once: do they still run?
//! ```
//!
//! Without the cfg there is no door to the inside of `runtime-core`, and only the wheel is timed. Inputs are made and
//! outputs dropped outside the timing. Timings are for a quiet machine; on others there is `ci/bench-guard.sh`.

#[cfg(gristmill_bench)]
mod park;
#[cfg(gristmill_bench)]
mod queue;
#[cfg(gristmill_bench)]
mod task;
mod wheel;

fn main() {
    if cfg!(not(gristmill_bench)) {
        eprintln!(
            "only the wheel: for task, queue and park, build with RUSTFLAGS=\"--cfg gristmill_bench\""
        );
    }
    divan::main();
}
