//! Making tasks.

use crate::ROW;
use gristmill::task::{spawn, yield_now};

/// Spawns a task that nobody joins; it runs and ends.
pub(crate) async fn detached(times: usize) {
    for _ in 0..times / ROW {
        for _ in 0..ROW {
            drop(spawn(async {}));
        }
        // All of the row run before this task goes on.
        yield_now().await;
    }
}

/// Spawns a task and awaits it.
pub(crate) async fn joined(times: usize) {
    for _ in 0..times {
        spawn(async {}).await.expect("the task does not fail");
    }
}
