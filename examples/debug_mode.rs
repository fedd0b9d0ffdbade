//! Debug mode notices what goes wrong in silence: here a task that blocks its worker.
//!
//! The same without a change to the program: `GRISTMILL_DEBUG=1`.

use gristmill::runtime::Builder;
use gristmill::task;
use std::io;
use std::thread;
use std::time::Duration;

fn main() -> io::Result<()> {
    let runtime = Builder::new()
        .debug(true)
        .slow_poll_threshold(Duration::from_millis(20))
        .build()?;
    runtime.block_on(async {
        // A sleep that keeps its worker; `gristmill::time::sleep(…).await` would not.
        let careless = task::Builder::new()
            .name("careless")
            .spawn(async { thread::sleep(Duration::from_millis(50)) });
        // The same call where it belongs is no news.
        let careful = gristmill::spawn_blocking(|| thread::sleep(Duration::from_millis(50)));
        careless.await?;
        careful.await
    })?;
    let slow = runtime.metrics().slow_polls();
    // On standard error by then: gristmill: a poll of task 1 "careless" spawned at examples/debug_mode.rs:22:14 blocked …
    drop(runtime);
    println!("{slow} slow poll was noticed");
    Ok(())
}
