//! The attributes as a user of gristmill writes them.
//!
//! What does not compile is tested in the crate itself, over tokens.

use gristmill::time::{Duration, Instant, sleep};

/// What `main` is turned into can be called like any function.
#[gristmill::main(worker_threads = 2)]
async fn answer() -> u32 {
    gristmill::spawn(async { 42 }).await.unwrap()
}

#[gristmill::main(flavor = "current_thread")]
async fn thread_of_a_task() -> std::thread::ThreadId {
    gristmill::spawn(async { std::thread::current().id() })
        .await
        .unwrap()
}

#[test]
fn main_gives_what_its_body_returns() {
    assert_eq!(answer(), 42);
}

#[test]
fn a_current_thread_main_runs_its_tasks_on_the_calling_thread() {
    assert_eq!(thread_of_a_task(), std::thread::current().id());
}

#[gristmill::test]
async fn a_test_runs_its_tasks_on_its_own_thread() {
    let here = std::thread::current().id();
    let there = gristmill::spawn(async { std::thread::current().id() })
        .await
        .unwrap();
    assert_eq!(here, there);
}

#[gristmill::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_multi_threaded_test_runs_its_tasks_on_a_worker() {
    let here = std::thread::current().id();
    let there = gristmill::spawn(async { std::thread::current().id() })
        .await
        .unwrap();
    assert_ne!(here, there);
}

#[gristmill::test(start_paused = true)]
async fn a_paused_clock_jumps_to_the_next_deadline() {
    let start = Instant::now();
    sleep(Duration::from_secs(3600)).await;
    assert!(start.elapsed() >= Duration::from_secs(3600));
}

#[gristmill::test]
#[should_panic(expected = "as it should")]
async fn a_test_that_should_panic_may() {
    panic!("as it should");
}

#[gristmill::test]
#[ignore = "it would fail, so it shows that the attribute is kept"]
async fn an_ignored_test_does_not_run() {
    panic!("this test is ignored");
}

#[gristmill::test]
async fn a_test_may_return_a_result() -> Result<(), Box<dyn std::error::Error>> {
    let number: u32 = "7".parse()?;
    assert_eq!(gristmill::spawn(async move { number }).await?, 7);
    Ok(())
}
