//! A runtime in a program that is not async: built by hand, used from plain threads, measured, and ended in time.

use gristmill::net::TcpListener;
use gristmill::runtime::Builder;
use gristmill::time::{Duration, sleep};
use std::{io, thread};

fn main() -> io::Result<()> {
    let runtime = Builder::new()
        .worker_threads(2)
        .thread_name("mill")
        .build()?;

    // Any thread may wait for async code, by a handle.
    let handle = runtime.handle().clone();
    let plain = thread::spawn(move || {
        handle.block_on(async {
            sleep(Duration::from_millis(5)).await;
            "a plain thread waited for 5 ms"
        })
    });

    // A task begins at once, and can be awaited later.
    let task = runtime.spawn(async { thread::current().name().map(str::to_owned) });
    let name = runtime.block_on(task)?;
    println!("a task ran on {}", name.as_deref().unwrap_or("a thread"));
    println!("{}", plain.join().expect("no panic"));

    // What needs to know its runtime finds the one that this thread has entered.
    let entered = runtime.enter();
    let listener = TcpListener::from_std(std::net::TcpListener::bind("127.0.0.1:0")?)?;
    println!("a listener at {}", listener.local_addr()?);
    drop(entered);

    let metrics = runtime.metrics();
    let (workers, polls) = (metrics.num_workers(), metrics.worker_poll_count(0));
    println!("{workers} workers; {polls} polls by the first");

    // Tasks end with their runtime. A call on a pool cannot be stopped, so it is waited for, but not for ever.
    drop(runtime.spawn(sleep(Duration::from_secs(3600))));
    drop(runtime.spawn_blocking(|| thread::sleep(Duration::from_millis(10))));
    runtime.shutdown_timeout(Duration::from_secs(1));
    println!("ended");
    Ok(())
}
