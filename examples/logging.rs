//! Logging that blocks no worker: events go through a channel to a thread that writes them, those of debug mode included.
//!
//! A program in asyncio would hand its records to a `QueueHandler`, and a `QueueListener` would write them.

use gristmill::runtime::Builder;
use gristmill::task::TaskGroup;
use gristmill::time::sleep;
use std::io;
use std::thread;
use std::time::Duration;
use tracing::{Level, info};

fn main() -> io::Result<()> {
    // Dropping the guard writes what is left. By default the channel takes 128,000 lines, and drops what comes on top.
    let (writer, guard) = tracing_appender::non_blocking(io::stdout());
    tracing_subscriber::fmt()
        .with_writer(writer)
        .with_max_level(Level::INFO)
        .with_ansi(false)
        .init();

    let runtime = Builder::new()
        .debug(true)
        .slow_poll_threshold(Duration::from_millis(20))
        .build()?;
    runtime
        .block_on(async {
            let mut workers = TaskGroup::new();
            for number in 0..3u64 {
                workers.spawn(async move {
                    sleep(Duration::from_millis(5 * number)).await;
                    info!(number, "has slept");
                    if number == 2 {
                        // Debug mode logs this one as an event of the target `gristmill`.
                        thread::sleep(Duration::from_millis(50));
                    }
                    Ok::<_, io::Error>(())
                });
            }
            workers.join().await
        })
        .map_err(io::Error::other)?;
    drop(runtime);
    drop(guard);
    Ok(())
}
