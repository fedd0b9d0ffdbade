//! Ending in order: take nothing new, let what runs finish, and put a bound on all of it.

use gristmill::runtime::Runtime;
use gristmill::task::JoinSet;
use gristmill::time::{Duration, Instant, interval, sleep, timeout, timeout_at};

fn main() -> std::io::Result<()> {
    let runtime = Runtime::new()?;
    runtime.block_on(serve());

    // Calls on the blocking pool cannot be aborted; the runtime waits for them, but not forever.
    drop(runtime.spawn_blocking(|| std::thread::sleep(Duration::from_millis(10))));
    runtime.shutdown_timeout(Duration::from_secs(1));
    println!("shut down");
    Ok(())
}

/// Takes a new piece of work every 5 ms. A server would accept connections here, and end on
/// `gristmill::signal::ctrl_c()`; so that this program ends by itself, it ends after 50 ms.
async fn serve() {
    let mut running = JoinSet::new();
    let mut arrivals = interval(Duration::from_millis(5));
    let end = Instant::now() + Duration::from_millis(50);
    let mut taken = 0;
    while timeout_at(end, arrivals.tick()).await.is_ok() {
        taken += 1;
        // The first one would take an hour.
        let length = if taken == 1 {
            Duration::from_secs(3600)
        } else {
            Duration::from_millis(20)
        };
        running.spawn(sleep(length));
    }
    println!("stopped taking work after {taken} tasks");

    let drained = timeout(Duration::from_millis(200), async {
        while running.join_next().await.is_some() {}
    });
    if drained.await.is_err() {
        println!("{} still running; aborting", running.len());
        running.shutdown().await;
    }
}
