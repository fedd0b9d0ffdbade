//! A bound on how long to wait: what is not ready in time is dropped.

use gristmill::time::{Duration, sleep, timeout};

/// Takes some time to find the answer.
async fn answer(after: Duration) -> u32 {
    sleep(after).await;
    42
}

#[gristmill::main]
async fn main() {
    let patience = Duration::from_millis(100);
    for after in [Duration::from_millis(1), Duration::from_secs(3600)] {
        match timeout(patience, answer(after)).await {
            Ok(answer) => println!("in time: {answer}"),
            // The future is gone, and with it whatever it was doing.
            Err(elapsed) => println!("not in time: {elapsed}"),
        }
    }
}
