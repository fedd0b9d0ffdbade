//! What the tests of faults share: a process that is short of something, until a guard is dropped.
//!
//! Limits are the process's: tests that set one run in a process of their own.
#![allow(
    dead_code,
    reason = "every test file is a program of its own and uses some of this"
)]

use crate::common::{Count, OnDrop, eventually};
use gristmill::runtime::{Builder, Runtime};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

pub(crate) const MIB: u64 = 1024 * 1024;
/// What is left to a process that is short of memory, mostly.
pub(crate) const LEFT: u64 = 32 * MIB;
/// A stack that does not fit into that.
pub(crate) const STACK: usize = 512 * 1024 * 1024;

/// Sets a limit of this process, and leaves the hard one alone.
pub(crate) fn limit(resource: Resource, to: u64) {
    let (_, hard) = getrlimit(resource).expect("readable");
    setrlimit(resource, to.min(hard), hard).expect("settable");
}

/// A limit that is in force until the returned guard is dropped.
pub(crate) fn limited(resource: Resource, to: u64) -> impl Drop {
    let (soft, _) = getrlimit(resource).expect("readable");
    limit(resource, to);
    OnDrop::new(move || limit(resource, soft))
}

/// Until the returned guard is dropped no descriptor can be had, but for `free` of them.
///
/// What is open stays open, and below the limit, or the C library would not pass it on to a child. Once another thread closes one of
/// its own, that can be had too.
pub(crate) fn short_of_descriptors(free: u64) -> impl Drop {
    let open = std::fs::read_dir("/proc/self/fd").expect("mounted");
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let highest = numbers.max().expect("that of the look itself");
    let limited = limited(Resource::RLIMIT_NOFILE, highest + 1 + free);
    // A limit is on the numbers, which need not be used one after the other: those between are taken.
    let open_one = || std::fs::File::open("/dev/null").ok();
    let mut taken: Vec<_> = std::iter::from_fn(open_one).collect();
    taken.truncate(
        taken
            .len()
            .saturating_sub(usize::try_from(free).expect("small")),
    );
    OnDrop::new(move || drop((taken, limited)))
}

/// Until the returned guard is dropped no descriptor can be had, not even one that somebody closes meanwhile.
///
/// Programs that are started meanwhile have this limit too, and may not get far.
pub(crate) fn out_of_descriptors() -> impl Drop {
    limited(Resource::RLIMIT_NOFILE, 0)
}

/// How many descriptors this process has.
pub(crate) fn open_descriptors() -> usize {
    // One of them is that of the look itself.
    std::fs::read_dir("/proc/self/fd").expect("mounted").count() - 1
}

/// Until the returned guard is dropped the process gets no more than so much address space; roughly, for the allocator
/// gives some of its own back at times.
pub(crate) fn short_of_memory(left: u64) -> impl Drop {
    limited(Resource::RLIMIT_AS, address_space() + left)
}

/// How much of the address space this process uses.
fn address_space() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("mounted");
    let pages = statm.split(' ').next().expect("a number");
    pages.parse::<u64>().expect("a number") * 4096
}

/// Until the returned guard is dropped the process gets no thread. The process must be an [ordinary](become_ordinary) one.
pub(crate) fn short_of_threads() -> impl Drop {
    limited(Resource::RLIMIT_NPROC, 1)
}

/// Gives the privileges up that the limit on threads would not hold for.
pub(crate) fn become_ordinary() {
    if nix::unistd::geteuid().is_root() {
        let nobody = nix::unistd::Uid::from_raw(65_534);
        nix::unistd::setuid(nobody).expect("root may");
    }
}

/// A runtime whose threads have all begun: a thread that begins while memory is short takes the process down, by no fault
/// of the runtime.
pub(crate) fn settled(builder: Builder, threads: usize) -> Runtime {
    let begun = Count::default();
    let counted = begun.clone();
    let builder = builder.on_thread_start(move || counted.add());
    let runtime = builder.build().expect("a runtime");
    eventually("all threads have begun", || begun.get() >= threads);
    runtime
}
