//! Calls that block or compute, off the threads that run tasks.
//!
//! As in asyncio, `run_in_executor(None, f)` takes the default executor, which is made for calls
//! that block, and `Some(&pool)` one of your own.

use gristmill::executor::{ComputePool, PoolConfig};
use gristmill::run_in_executor;

/// Some honest work.
fn count_primes(below: u32) -> usize {
    (2..below)
        .filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
        .count()
}

#[gristmill::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let program = std::env::current_exe()?;
    let size = run_in_executor(None, move || {
        std::fs::read(program).map(|bytes| bytes.len())
    });

    let pool = ComputePool::new(PoolConfig::compute().max_threads(1).thread_name("primes"))?;
    let primes = run_in_executor(Some(&pool), || count_primes(100_000));

    // Both are under way; a join handle can be awaited, aborted, or dropped.
    println!("this program has {} bytes", size.await??);
    println!("{} primes below 100,000", primes.await?);
    Ok(())
}
