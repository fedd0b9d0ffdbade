//! Tasks that end together: the first failure ends the others, and nothing is left running.

use gristmill::task::{TaskGroup, group};
use gristmill::time::{Duration, sleep};

/// Says when it is dropped, in whatever way it ends.
struct Part(&'static str);

impl Drop for Part {
    fn drop(&mut self) {
        println!("  {} ended", self.0);
    }
}

/// Works for a while, and succeeds or not.
async fn part(name: &'static str, millis: u64, succeeds: bool) -> Result<u64, String> {
    let _part = Part(name);
    sleep(Duration::from_millis(millis)).await;
    if succeeds {
        Ok(millis)
    } else {
        Err(format!("{name} found no more paper"))
    }
}

#[gristmill::main]
async fn main() {
    println!("all goes well:");
    let total = group(async |g| {
        let letters = g.spawn(part("letters", 10, true));
        let stamps = g.spawn(part("stamps", 20, true));
        Ok::<_, String>(letters.await.unwrap_or(0) + stamps.await.unwrap_or(0))
    });
    println!("total: {:?}", total.await);

    println!("one fails:");
    let mut office = TaskGroup::new();
    office.spawn(part("letters", 10, false));
    office.spawn(part("archive", 3_600_000, true));
    if let Err(error) = office.join().await {
        // By now the archive has ended as well, an hour early.
        println!("failed: {error}");
    }

    println!("two at a time:");
    let mut desk = TaskGroup::<String>::with_limit(2);
    for name in ["one", "two", "three", "four"] {
        desk.spawn(part(name, 10, true));
    }
    println!("joined: {:?}", desk.join().await);
}
