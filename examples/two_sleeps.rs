//! Two waits at the same time take as long as the longer one, not as long as both.

use gristmill::task::JoinError;
use gristmill::time::{Duration, Instant, sleep};

/// Sleeps, and says so.
async fn nap(millis: u64) -> u64 {
    sleep(Duration::from_millis(millis)).await;
    println!("slept {millis} ms");
    millis
}

#[gristmill::main]
async fn main() -> Result<(), JoinError> {
    let start = Instant::now();
    let (long, short) = (gristmill::spawn(nap(300)), gristmill::spawn(nap(200)));
    let sum = long.await? + short.await?;
    println!("{sum} ms of sleep took {} ms", start.elapsed().as_millis());
    Ok(())
}
