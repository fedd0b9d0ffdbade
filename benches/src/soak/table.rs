//! What is said at the end.

use std::time::Duration;

use super::flatness::Flatness;
use super::{ledger, loads};

/// Prints the accounts and what is left.
pub(super) fn print(seed: u64, eras: usize, elapsed: Duration, flatness: &Flatness) {
    println!(
        "soak: seed {seed}, {eras} runtimes in {:.1} s\n",
        elapsed.as_secs_f64()
    );
    println!(
        "{:<17} {:>11} {:>22} {:>22} {:>20} {:>6}",
        "", "started", "", "ended", "", "even"
    );
    for account in ledger::ALL {
        let balance = account.balance();
        let end = |count: u64, name: &str| {
            if name.is_empty() {
                String::new()
            } else {
                format!("{count} {name}")
            }
        };
        println!(
            "{:<17} {:>11} {:>22} {:>22} {:>20} {:>6}",
            account.name,
            balance.started,
            end(balance.completed, account.ends[0]),
            end(balance.cancelled, account.ends[1]),
            end(balance.failed, account.ends[2]),
            if balance.is_even() { "yes" } else { "NO" },
        );
    }
    println!(
        "\n{} MiB came over streams, each byte as it was sent; the latest timer was {:.1} ms late",
        loads::bytes_verified() >> 20,
        loads::worst_lateness().as_secs_f64() * 1e3,
    );
    if let (Some(first), Some(last)) = (flatness.first, flatness.last) {
        println!(
            "descriptors {} before, {} after; threads {}, {}; children {}, {}",
            first.descriptors,
            last.descriptors,
            first.threads,
            last.threads,
            first.children,
            last.children
        );
        let mib = |bytes: Option<u64>| {
            bytes.map_or_else(
                || "unknown".to_owned(),
                |bytes| format!("{} MiB", bytes >> 20),
            )
        };
        println!(
            "resident memory: at most {} in the warm-up, {} at the end; the floor of the latest runtimes: {}",
            mib(flatness.warm_resident()),
            mib(Some(last.resident)),
            mib(flatness.floor()),
        );
    }
}
