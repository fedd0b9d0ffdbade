//! A library that calls back, awaited: a promise is the bridge, as `loop.create_future()` is in asyncio.

use gristmill::sync::{Promise, PromiseError};
use gristmill::time::{Duration, timeout};
use std::thread;

/// A library of old: it measures on a thread of its own, and calls back. Asked for the impossible it never does.
fn measure(what: &'static str, call_back: impl FnOnce(Result<u32, &'static str>) + Send + 'static) {
    thread::spawn(move || match what {
        "flour" => call_back(Ok(750)),
        "time" => drop(call_back),
        _ => call_back(Err("there is no scale for that")),
    });
}

/// The same, to be awaited.
async fn measured(what: &'static str) -> Result<u32, PromiseError> {
    let (promise, answer) = Promise::new();
    measure(what, move |measured| {
        // An error means that nobody waits any more.
        let _ = match measured {
            Ok(grams) => promise.set_result(grams).is_ok(),
            Err(reason) => promise.set_error(reason).is_ok(),
        };
    });
    answer.await
}

#[gristmill::main]
async fn main() {
    for what in ["flour", "love", "time"] {
        match timeout(Duration::from_secs(10), measured(what)).await {
            Ok(Ok(grams)) => println!("{what}: {grams} g"),
            // The library dropped the promise with its closure, so that nobody waits in vain.
            Ok(Err(error)) if error.is_cancelled() => println!("{what}: no answer"),
            Ok(Err(error)) => println!("{what}: {error}"),
            Err(elapsed) => println!("{what}: {elapsed}"),
        }
    }
}
