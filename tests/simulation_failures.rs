//! What a simulation finds: planted races within a thousand seeds, which replay, and deadlocks, which name who waits

mod common;

use common::{panic_text, silence_panics, within};
use gristmill::runtime::Builder;
use gristmill::sim::check;
use gristmill::sync::oneshot;
use gristmill::task::yield_now;
use gristmill::time::{Duration, sleep};
use std::collections::BTreeSet;
use std::future::{pending, poll_fn};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

const SEEDS: Range<u64> = 0..1_000;

/// What the program says when it fails under this seed.
fn failure(seed: u64, program: &impl AsyncFn()) -> Option<String> {
    let failed = catch_unwind(AssertUnwindSafe(|| check([seed], program))).is_err();
    failed.then(|| panic_text(|| check([seed], program)))
}

/// Fails unless the program fails under some seed but not at once, and does the same under that seed again.
#[track_caller]
fn is_found(program: impl AsyncFn()) -> String {
    silence_panics();
    let mut failures = SEEDS.filter_map(|seed| failure(seed, &program).map(|text| (seed, text)));
    let (seed, text) = failures.next().expect("it is found");
    for _ in 0..3 {
        assert_eq!(
            failure(seed, &program).as_ref(),
            Some(&text),
            "seed {seed:#x}"
        );
    }
    text
}

#[test]
fn an_update_that_is_lost_across_an_await_is_found_and_replays() {
    within("lost update", || {
        let text = is_found(async || {
            let balance = Arc::new(AtomicU32::new(0));
            let deposits = [1, 10].map(|amount| {
                let balance = Arc::clone(&balance);
                gristmill::spawn(async move {
                    let seen = balance.load(Ordering::SeqCst);
                    sleep(Duration::from_millis(1)).await;
                    balance.store(seen + amount, Ordering::SeqCst);
                })
            });
            for deposit in deposits {
                deposit.await.expect("no panic");
            }
            let balance = balance.load(Ordering::SeqCst);
            assert!(balance == 11, "expected 11, found {balance}");
        });
        assert!(["expected 11, found 1", "expected 11, found 10"].contains(&text.as_str()));
    });
}

#[test]
fn a_check_and_an_act_in_jobs_of_their_own_are_found_to_be_two() {
    within("check, then act", || {
        let text = is_found(async || {
            let (exists, made) = (
                Arc::new(AtomicBool::new(false)),
                Arc::new(AtomicU32::new(0)),
            );
            let visitors = [(); 2].map(|()| {
                let (exists, made) = (Arc::clone(&exists), Arc::clone(&made));
                gristmill::spawn(async move {
                    let seen = Arc::clone(&exists);
                    let look = gristmill::spawn_blocking(move || seen.load(Ordering::SeqCst));
                    if !look.await.expect("no panic") {
                        let make = gristmill::spawn_blocking(move || {
                            made.fetch_add(1, Ordering::SeqCst);
                            exists.store(true, Ordering::SeqCst);
                        });
                        make.await.expect("no panic");
                    }
                })
            });
            for visitor in visitors {
                visitor.await.expect("no panic");
            }
            let made = made.load(Ordering::SeqCst);
            assert!(made == 1, "expected one, made {made}");
        });
        assert_eq!(text, "expected one, made 2");
    });
}

/// An event with a fault: who waits looks, lets others run, and does not look again before it leaves its waker.
#[derive(Default)]
struct FaultyEvent {
    is_set: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl FaultyEvent {
    async fn wait(&self) {
        if self.is_set.load(Ordering::SeqCst) {
            return;
        }
        yield_now().await;
        let mut is_first = true;
        poll_fn(|cx| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            self.wakers.lock().expect("no panic").push(waker);
            Poll::Pending
        })
        .await;
    }

    fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
        let wakers = std::mem::take(&mut *self.wakers.lock().expect("no panic"));
        wakers.into_iter().for_each(Waker::wake);
    }
}

#[test]
fn a_wake_up_that_is_lost_is_found_as_a_deadlock() {
    within("lost wake-up", || {
        let program = async || {
            let event = Arc::new(FaultyEvent::default());
            let waiting = Arc::clone(&event);
            let waiter = gristmill::task::Builder::new()
                .name("waiter")
                .spawn(async move { waiting.wait().await });
            yield_now().await;
            event.set();
            waiter.await.expect("no panic");
        };
        // A deadlock takes a second of real time to be sure of, so it is looked for once and replayed once.
        silence_panics();
        let seed = SEEDS.into_iter().find(|&seed| {
            let failed = || check([seed], program);
            catch_unwind(AssertUnwindSafe(failed)).is_err()
        });
        let text = panic_text(|| check([seed.expect("it is found")], program));
        assert!(text.contains("is deadlocked"), "{text}");
        assert!(
            text.contains("\"waiter\", spawned at tests/simulation_failures.rs:"),
            "{text}"
        );
    });
}

#[test]
fn a_deadlock_names_the_seed_and_every_task_that_waits_but_none_that_has_ended() {
    within("deadlock", || {
        let text = panic_text(|| {
            let runtime = Builder::new_simulated(0x2a).build().expect("a runtime");
            runtime.block_on(async {
                for name in ["first", "second"] {
                    let task = gristmill::task::Builder::new().name(name);
                    drop(task.spawn(pending::<()>()));
                }
                let ended = gristmill::task::Builder::new().name("ended");
                ended.spawn(async {}).await.expect("no panic");
                let aborted = gristmill::task::Builder::new()
                    .name("aborted")
                    .spawn(pending::<()>());
                aborted.abort();
                let _ = aborted.await;
                sleep(Duration::from_secs(3600)).await;
                let (_sender, receiver) = oneshot::channel::<()>();
                let _ = receiver.await;
            });
        });
        assert!(text.contains("seed 0x2a"), "{text}");
        assert!(
            text.contains("the future of block_on at tests/simulation_failures.rs:"),
            "{text}"
        );
        for name in ["\"first\"", "\"second\""] {
            assert!(text.contains(name), "{text}");
        }
        assert!(
            !text.contains("ended\"") && !text.contains("aborted\""),
            "{text}"
        );
    });
}

#[test]
fn what_another_thread_will_wake_is_no_deadlock() {
    within("another thread", || {
        check(0..3, async || {
            let (sender, receiver) = oneshot::channel();
            let thread = std::thread::spawn(move || sender.send(7));
            assert_eq!(receiver.await, Ok(7));
            assert_eq!(thread.join().expect("no panic"), Ok(()));
        });
    });
}

#[test]
fn a_task_whose_panic_nobody_sees_fails_its_seed() {
    silence_panics();
    let text = panic_text(|| {
        check(0..10, async || {
            drop(gristmill::spawn(async { panic!("expected by the test") }));
            sleep(Duration::from_secs(1)).await;
        });
    });
    assert!(
        text.contains("panicked without anybody having awaited"),
        "{text}"
    );
    // Whoever awaits the task decides for itself.
    check(0..10, async || {
        let task = gristmill::spawn(async { panic!("expected by the test") });
        assert!(task.await.expect_err("a panic").is_panic());
    });
}

#[test]
fn a_check_goes_through_all_seeds_each_with_its_own_runtime() {
    let mut seen = Vec::new();
    check([3, 1, 2], async || {
        let metrics = gristmill::runtime::Handle::current().metrics();
        seen.push(metrics.simulation_seed());
        assert_eq!(metrics.num_alive_tasks(), 0);
        drop(gristmill::spawn(pending::<()>()));
    });
    assert_eq!(seen, [Some(3), Some(1), Some(2)]);
}

#[test]
fn a_check_without_seeds_is_refused() {
    let text = panic_text(|| check([], async || ()));
    assert!(text.contains("give it a range such as 0..1_000"), "{text}");
}

/// Says which child a process is.
const INSIDE: &str = "GRISTMILL_TEST_CHILD";

fn is_child(test: &str) -> bool {
    std::env::var_os(INSIDE).is_some_and(|inside| inside == test)
}

/// This program once more, with this test alone, and a seed to replay.
fn child(test: &str, seed: Option<&str>) -> Output {
    let own = std::env::current_exe().expect("a path");
    let mut command = Command::new(own);
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, test);
    match seed {
        Some(seed) => command.env("GRISTMILL_SEED", seed),
        None => command.env_remove("GRISTMILL_SEED"),
    };
    command.output().expect("started")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The seed that standard error tells of, which it does once.
fn printed_seed(output: &Output) -> String {
    let text = stderr(output);
    let mut parts = text.split("gristmill: simulation failed with seed ");
    let (_, told) = (
        parts.next(),
        parts.next().unwrap_or_else(|| panic!("no seed: {text}")),
    );
    assert!(parts.next().is_none(), "more than once: {text}");
    let (seed, _) = told.split_once(';').expect("what to do");
    assert!(
        told.contains(&format!("replay with Builder::new_simulated({seed})")),
        "{text}"
    );
    assert!(told.contains(&format!("GRISTMILL_SEED={seed}")), "{text}");
    seed.to_owned()
}

#[test]
fn a_failing_seed_is_printed_once_and_the_environment_replays_it_alone() {
    const TEST: &str = "a_failing_seed_is_printed_once_and_the_environment_replays_it_alone";
    if is_child(TEST) {
        let mut runs = 0;
        return check(SEEDS, async || {
            runs += 1;
            let (sender, receiver) = oneshot::channel();
            let loser = gristmill::spawn(async move { sender.send(()) });
            for _ in 0..3 {
                yield_now().await;
            }
            assert!(
                loser.is_finished(),
                "expected the task to run before run {runs}"
            );
            drop(receiver);
        });
    }
    within("children", || {
        let first = child(TEST, None);
        assert!(!first.status.success());
        let seed = printed_seed(&first);
        let again = child(TEST, Some(&seed));
        assert!(!again.status.success());
        assert_eq!(printed_seed(&again), seed);
        assert!(
            stderr(&again).contains("before run 1\n"),
            "{}",
            stderr(&again)
        );
        let other = (0..50).map(|seed| child(TEST, Some(&seed.to_string())));
        let passed = other
            .take(6)
            .filter(|output| output.status.success())
            .count();
        assert!(passed > 0, "a seed that does not fail is replayed as well");
    });
}

#[test]
fn a_panic_that_leaves_block_on_prints_the_seed() {
    const TEST: &str = "a_panic_that_leaves_block_on_prints_the_seed";
    if is_child(TEST) {
        let runtime = Builder::new_simulated(0xabc).build().expect("a runtime");
        let fails = || runtime.block_on(async { panic!("expected by the test") });
        for _ in 0..2 {
            assert!(catch_unwind(AssertUnwindSafe(fails)).is_err());
        }
        return;
    }
    let output = child(TEST, None);
    assert!(output.status.success());
    assert_eq!(printed_seed(&output), "0xabc");
}

#[test]
fn a_task_that_shuts_the_runtime_down_by_its_panic_prints_the_seed() {
    const TEST: &str = "a_task_that_shuts_the_runtime_down_by_its_panic_prints_the_seed";
    if is_child(TEST) {
        let policy = gristmill::runtime::UnhandledPanic::Shutdown;
        let builder = Builder::new_simulated(0xdef).unhandled_panic(policy);
        let runtime = builder.build().expect("a runtime");
        let fails = async {
            drop(gristmill::spawn_blocking(|| ()));
            let _task = gristmill::spawn(async { panic!("expected by the test") });
            pending::<()>().await;
        };
        let text = panic_text(|| runtime.block_on(fails));
        assert!(text.contains("expected by the test"), "{text}");
        return;
    }
    let output = child(TEST, None);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(printed_seed(&output), "0xdef");
}

#[test]
fn a_seed_that_is_no_number_is_refused_with_the_fix() {
    const TEST: &str = "a_seed_that_is_no_number_is_refused_with_the_fix";
    if is_child(TEST) {
        return check(SEEDS, async || ());
    }
    let output = child(TEST, Some("seven"));
    assert!(!output.status.success());
    let text = stderr(&output);
    assert!(
        text.contains("set it to a number such as 42 or 0x2a, or unset it"),
        "{text}"
    );
}

#[test]
fn the_orders_of_events_that_seeds_reach_are_those_that_threads_could() {
    within("orders", || {
        // Two tasks of three steps each: a schedule is a choice of three out of six.
        let orders = Mutex::new(BTreeSet::new());
        check(SEEDS, async || {
            let order = Arc::new(Mutex::new(String::new()));
            let tasks = ['a', 'b'].map(|name| {
                let order = Arc::clone(&order);
                gristmill::spawn(async move {
                    for _ in 0..3 {
                        order.lock().expect("no panic").push(name);
                        yield_now().await;
                    }
                })
            });
            for task in tasks {
                task.await.expect("no panic");
            }
            let order = std::mem::take(&mut *order.lock().expect("no panic"));
            orders.lock().expect("no panic").insert(order);
        });
        assert_eq!(orders.into_inner().expect("no panic").len(), 20);
    });
}
