//! A simulated runtime: the same seed gives the same schedule, and other seeds give others

mod common;

use common::chaos::{Crowd, SEEDS, breathe};
use common::{panic_text, silence_panics, within};
use gristmill::runtime::{Builder, Runtime};
use gristmill::sync::{Mutex, mpsc};
use gristmill::task::{JoinSet, yield_now};
use gristmill::time::{self, Duration, Instant, sleep};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::process::Command;
use std::sync::Arc;

const HOUR: Duration = Duration::from_secs(3600);

fn simulated(seed: u64) -> Runtime {
    let runtime = Builder::new_simulated(seed).build();
    runtime.expect("a runtime")
}

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<String>>>);

impl Log {
    fn add(&self, event: impl Into<String>) {
        self.0.lock().expect("no panic").push(event.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

/// A program with a bit of everything, and the digest of its schedule.
fn mixed_program(seed: u64) -> (Vec<String>, u64) {
    let runtime = simulated(seed);
    let log = Log::default();
    runtime.block_on(mix(log.clone()));
    let digest = runtime.metrics().schedule_digest();
    (log.take(), digest.expect("simulated"))
}

async fn mix(log: Log) {
    let start = Instant::now();
    let shared = Arc::new(Mutex::new(0_u32));
    let (sender, mut receiver) = mpsc::channel(2);
    let mut tasks = JoinSet::new();
    for number in 0..6_u32 {
        let (log, shared, sender) = (log.clone(), Arc::clone(&shared), sender.clone());
        tasks.spawn(async move {
            for round in 0..3 {
                let mut guard = shared.lock().await;
                *guard += 1;
                log.add(format!("{number} has {}", *guard));
                yield_now().await;
                drop(guard);
                sleep(Duration::from_millis(u64::from(number % 2))).await;
                let job = gristmill::spawn_blocking(move || number * 10 + round);
                let sum = gristmill::spawn_compute(|| (0..10_u32).sum::<u32>());
                let first = gristmill::select! {
                    job = job => job.expect("no panic"),
                    sum = sum => sum.expect("no panic"),
                    () = yield_now() => 1_000,
                };
                sender.send(first).await.expect("a receiver");
            }
            number
        });
    }
    drop(sender);
    while let Some(value) = receiver.recv().await {
        log.add(format!("received {value} at {:?}", start.elapsed()));
    }
    while let Some(ended) = tasks.join_next().await {
        log.add(format!("{} has ended", ended.expect("no panic")));
    }
}

#[test]
fn the_same_seed_gives_the_same_events_and_the_same_schedule() {
    within("thrice", || {
        for seed in [0, 1, 0xdead_beef, u64::MAX] {
            let first = mixed_program(seed);
            assert_eq!(first.0.len(), 6 * 3 * 2 + 6);
            for _ in 0..2 {
                assert_eq!(mixed_program(seed), first, "seed {seed:#x}");
            }
        }
    });
}

#[test]
fn other_seeds_give_other_schedules() {
    within("many", || {
        let digests: BTreeSet<_> = (0..50).map(|seed| mixed_program(seed).1).collect();
        assert_eq!(digests.len(), 50);
    });
}

/// A crowd that is aborted at random, at every kind of wait.
async fn jostle() {
    let notify = Arc::new(gristmill::sync::Notify::new());
    let (values, watcher) = gristmill::sync::watch::channel(0_u32);
    let mut crowd = Crowd::new();
    for number in 0..6 {
        let (notify, mut watcher) = (Arc::clone(&notify), watcher.clone());
        crowd.spawn_mortal(async move {
            let mut ticks = time::interval(Duration::from_micros(10));
            for _ in 0..3 {
                gristmill::select! {
                    () = notify.notified() => {}
                    changed = watcher.changed() => changed.expect("a sender"),
                    _ = ticks.tick() => {}
                }
                breathe().await;
            }
            let group = gristmill::task::group(async |group| {
                group.spawn(async move { if number == 3 { Err("expected") } else { Ok(()) } });
                breathe().await;
                Ok::<_, &str>(())
            });
            let _ = time::timeout(Duration::from_micros(20), group).await;
            let _ = gristmill::spawn_compute(move || number).await;
        });
    }
    crowd.spawn(async move {
        for value in 0..4 {
            notify.notify_one();
            breathe().await;
            values.send_replace(value);
        }
        sleep(Duration::from_secs(1)).await;
    });
    crowd.end().await;
}

#[test]
fn whatever_tasks_wait_for_and_whoever_is_aborted_the_schedule_is_the_seeds() {
    within("jostling", || {
        let digest = |seed| {
            let runtime = simulated(seed);
            runtime.block_on(jostle());
            runtime.metrics().schedule_digest()
        };
        let digests: BTreeSet<_> = SEEDS.map(digest).collect();
        assert_eq!(digests.len(), SEEDS.count());
        assert!(SEEDS.map(digest).all(|again| digests.contains(&again)));
        assert!((0..10).all(|seed| digest(seed) == digest(seed)));
    });
}

#[test]
fn a_fresh_process_has_the_same_schedule() {
    const TEST: &str = "a_fresh_process_has_the_same_schedule";
    const INSIDE: &str = "GRISTMILL_TEST_PRINTS_DIGEST";
    let (_, digest) = mixed_program(5);
    if std::env::var_os(INSIDE).is_some() {
        return println!("the digest is {digest:#x}.");
    }
    let own = std::env::current_exe().expect("a path");
    let output = Command::new(own)
        .args([TEST, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains(&format!("the digest is {digest:#x}.")),
        "{text}"
    );
}

#[test]
fn a_runtime_tells_its_seed_and_others_have_none() {
    let metrics = simulated(42).metrics();
    assert_eq!(metrics.simulation_seed(), Some(42));
    let metrics = Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .metrics();
    assert_eq!(
        (metrics.simulation_seed(), metrics.schedule_digest()),
        (None, None)
    );
}

#[test]
fn three_tasks_run_in_every_order_under_some_seed() {
    within("orders", || {
        let mut seen = BTreeMap::new();
        for seed in 0..600 {
            let log = Log::default();
            let runtime = simulated(seed);
            // Spawned from outside, and from inside: through the shared queue, the slot, and the local queue.
            let tasks = ["a", "b", "c"].map(|name| {
                let log = log.clone();
                runtime.spawn(async move { log.add(name) })
            });
            runtime.block_on(async {
                for task in tasks {
                    task.await.expect("no panic");
                }
            });
            *seen.entry(log.take().concat()).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6, "{seen:?}");
        assert!(seen.values().all(|&count| count > 50), "{seen:?}");
    });
}

#[test]
fn the_root_future_takes_part_in_the_choice() {
    within("root", || {
        let first = |seed| {
            let log = Log::default();
            simulated(seed).block_on(async {
                let other = log.clone();
                let task = gristmill::spawn(async move { other.add("task") });
                yield_now().await;
                log.add("root");
                task.await.expect("no panic");
            });
            log.take().swap_remove(0)
        };
        let seen: BTreeSet<_> = (0..50).map(first).collect();
        assert_eq!(seen.len(), 2);
    });
}

#[test]
fn waiters_that_are_notified_together_go_on_in_any_order() {
    within("notified", || {
        let order = |seed| {
            let log = Log::default();
            simulated(seed).block_on(async {
                let notify = Arc::new(gristmill::sync::Notify::new());
                let mut tasks = JoinSet::new();
                for name in ["a", "b", "c"] {
                    let (log, notify) = (log.clone(), Arc::clone(&notify));
                    tasks.spawn(async move {
                        notify.notified().await;
                        log.add(name);
                    });
                }
                sleep(HOUR).await;
                notify.notify_waiters();
                tasks.join_all().await;
            });
            log.take().concat()
        };
        let orders: BTreeSet<_> = (0..200).map(order).collect();
        assert_eq!(orders.len(), 6);
    });
}

#[test]
fn timers_that_are_due_together_fire_in_any_order_even_within_a_task() {
    within("timers", || {
        let order = |seed| {
            simulated(seed).block_on(async {
                let sleeps = ["a", "b", "c"].map(|name| async move {
                    sleep(HOUR).await;
                    name
                });
                let ended = gristmill::task::as_completed(sleeps);
                gristmill::stream::StreamExt::collect::<Vec<_>>(ended)
                    .await
                    .concat()
            })
        };
        let orders: BTreeSet<_> = (0..200).map(order).collect();
        assert_eq!(orders.len(), 6);
    });
}

#[test]
fn select_is_decided_by_the_seed() {
    within("select", || {
        let branches = |seed| {
            simulated(seed).block_on(async {
                let mut taken = String::new();
                for _ in 0..16 {
                    gristmill::select! {
                        () = async {} => taken.push('a'),
                        () = async {} => taken.push('b'),
                    }
                }
                taken
            })
        };
        let all: BTreeSet<_> = (0..20).map(branches).collect();
        assert_eq!(all.len(), 20);
        assert!((0..20).all(|seed| branches(seed) == branches(seed)));
    });
}

#[test]
fn random_numbers_of_the_thread_are_the_simulations_inside_and_its_own_outside() {
    within("fastrand", || {
        let draw = |seed| {
            let runtime = simulated(seed);
            let first = runtime.block_on(async { fastrand::u64(..) });
            let outside = fastrand::u64(..);
            let second = runtime.block_on(async { fastrand::u64(..) });
            (first, outside, second)
        };
        fastrand::seed(1);
        let (one, other) = (draw(3), draw(3));
        assert_eq!((one.0, one.2), (other.0, other.2));
        assert_ne!(one.0, one.2, "it goes on where it was");
        fastrand::seed(1);
        assert_eq!([one.1, other.1], [fastrand::u64(..), fastrand::u64(..)]);
    });
}

#[test]
fn a_runtime_goes_on_where_the_last_block_on_left_it() {
    within("goes on", || {
        let log = Log::default();
        let runtime = simulated(2);
        let (tick, other) = (log.clone(), log.clone());
        let ticker = runtime.spawn(async move {
            for second in 1..=3 {
                sleep(Duration::from_secs(1)).await;
                tick.add(format!("{second}"));
            }
            pending::<()>().await;
        });
        // Runnable, and perhaps not run, when the first call ends.
        runtime.block_on(async {});
        runtime.block_on(async { sleep(Duration::from_millis(1_500)).await });
        assert_eq!(log.take(), ["1"]);
        runtime.block_on(async { sleep(Duration::from_secs(1)).await });
        assert_eq!(log.take(), ["2"]);
        ticker.abort();
        let ended = runtime.block_on(ticker);
        assert!(ended.expect_err("aborted").is_cancelled());
        drop(runtime);
        other.add("end");
        assert_eq!(log.take(), ["end"]);
    });
}

#[test]
fn a_shutdown_drops_tasks_and_jobs_that_are_left() {
    within("shutdown", || {
        let count = common::Count::default();
        let runtime = simulated(3);
        let probe = || count.on_drop();
        let (waiting, runnable, job) = (probe(), probe(), probe());
        let handle = runtime.spawn(async move {
            let _probe = waiting;
            pending::<()>().await;
        });
        runtime.block_on(yield_now());
        drop(runtime.spawn(async move { drop(runnable) }));
        let unrun = runtime.spawn_blocking(move || drop(job));
        let late = runtime.handle().clone();
        drop(runtime);
        assert_eq!(count.get(), 3);
        let late = late.spawn_blocking(|| ());
        for handle in [handle, unrun, late] {
            let ended = Builder::new_current_thread()
                .build()
                .expect("a runtime")
                .block_on(handle);
            assert!(ended.expect_err("cancelled").is_cancelled());
        }
    });
}

#[test]
fn other_threads_and_sockets_work_although_they_come_when_they_come() {
    within("outside", || {
        simulated(4).block_on(async {
            let (sender, receiver) = gristmill::sync::oneshot::channel();
            let handle = gristmill::runtime::Handle::current();
            let thread = std::thread::spawn(move || {
                let task = handle.spawn(async { 1 });
                let job = handle.spawn_blocking(|| 2);
                sender.send((task, job)).map_err(drop).expect("a receiver");
            });
            let (task, job) = receiver.await.expect("a value");
            assert_eq!(
                task.await.expect("no panic") + job.await.expect("no panic"),
                3
            );
            thread.join().expect("no panic");

            let listener = gristmill::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("bound");
            let address = listener.local_addr().expect("an address");
            let peer = std::thread::spawn(move || {
                use std::io::{Read, Write};
                let mut stream = std::net::TcpStream::connect(address).expect("connected");
                stream.write_all(b"hello").expect("written");
                let mut text = String::new();
                stream.read_to_string(&mut text).expect("read");
                text
            });
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let mut bytes = [0; 5];
            gristmill::io::AsyncReadExt::read_exact(&mut stream, &mut bytes)
                .await
                .expect("read");
            gristmill::io::AsyncWriteExt::write_all(&mut stream, &bytes)
                .await
                .expect("written");
            drop(stream);
            assert_eq!(peer.join().expect("no panic"), "hello");
        });
    });
}

#[test]
fn what_makes_no_sense_in_a_simulation_is_refused_with_the_fix() {
    silence_panics();
    let text = panic_text(|| simulated(1).block_on(async { time::resume() }));
    assert!(text.contains("leave out pause() and resume()"), "{text}");
    let error = Builder::new_simulated(1)
        .worker_threads(2)
        .build()
        .expect_err("refused");
    assert!(error.to_string().contains("leave it out"), "{error}");
    let blocks = || {
        let runtime = simulated(1);
        let handle = runtime.handle().clone();
        let job = runtime.spawn_blocking(move || handle.block_on(async {}));
        let error = runtime.block_on(job).expect_err("refused");
        std::panic::resume_unwind(error.into_panic())
    };
    let text = panic_text(|| within("a job that waits", blocks));
    assert!(text.contains("wait with .await, in a task"), "{text}");
}
