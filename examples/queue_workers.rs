//! Workers that take from one queue and put more into it: a walk through pages that link to each other.

use gristmill::sync::Queue;
use gristmill::task::JoinSet;
use gristmill::time::{Duration, sleep};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The pages, and where each leads.
const PAGES: [(&str, &[&str]); 5] = [
    ("/", &["/bread", "/flour"]),
    ("/bread", &["/flour", "/bread/rye"]),
    ("/flour", &["/", "/flour/spelt"]),
    ("/bread/rye", &["/bread"]),
    ("/flour/spelt", &[]),
];

/// What the workers share.
struct Walk {
    waiting: Queue<&'static str>,
    seen: Mutex<BTreeSet<&'static str>>,
}

impl Walk {
    /// Has a page visited, unless it was or will be.
    async fn add(&self, page: &'static str) {
        if self.seen.lock().unwrap().insert(page) {
            self.waiting
                .put(page)
                .await
                .expect("it is open until all is done");
        }
    }
}

/// Takes some time to find out where a page leads.
async fn fetch(page: &str) -> &'static [&'static str] {
    sleep(Duration::from_millis(5)).await;
    PAGES
        .iter()
        .find(|(name, _)| *name == page)
        .map_or(&[], |(_, links)| links)
}

async fn work(worker: usize, walk: Arc<Walk>) {
    // An error means that the queue was shut down and is empty.
    while let Ok(page) = walk.waiting.get().await {
        println!("worker {worker} visits {page}");
        for link in fetch(page).await {
            walk.add(link).await;
        }
        // After what it led to was put in, so that the count does not reach zero in between.
        walk.waiting.task_done();
    }
}

#[gristmill::main]
async fn main() {
    let walk = Arc::new(Walk {
        waiting: Queue::unbounded(),
        seen: Mutex::default(),
    });
    walk.add("/").await;
    let mut workers: JoinSet<()> = (0..3).map(|worker| work(worker, walk.clone())).collect();

    // Every page that was put in is done. Now the workers may go home.
    walk.waiting.join().await;
    walk.waiting.shutdown();
    while let Some(ended) = workers.join_next().await {
        ended.expect("no worker panics");
    }
    println!("{:?}", walk.seen.lock().unwrap());
}
