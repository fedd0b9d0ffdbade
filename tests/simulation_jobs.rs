//! Time and jobs in a simulation: both are virtual, exact, and a part of the schedule

mod common;

use common::within;
use gristmill::executor::{ComputePool, PoolConfig};
use gristmill::runtime::{Builder, Runtime};
use gristmill::task::{JoinSet, yield_now};
use gristmill::time::{Duration, Instant, sleep, timeout};
use std::collections::BTreeSet;
use std::sync::Arc;

const HOUR: Duration = Duration::from_secs(3600);

/// What a job takes, as documented.
const SHORTEST_JOB: Duration = Duration::from_micros(1);
const LONGEST_JOB: Duration = Duration::from_millis(10);

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

#[test]
fn an_hour_takes_no_time_and_is_an_hour_to_the_nanosecond() {
    within("an hour", || {
        let real = std::time::Instant::now();
        for seed in 0..20 {
            simulated(seed).block_on(async {
                let start = Instant::now();
                let sleeper = gristmill::spawn(sleep(HOUR + Duration::from_nanos(1)));
                sleep(HOUR).await;
                assert_eq!(start.elapsed(), HOUR);
                sleeper.await.expect("no panic");
                assert_eq!(start.elapsed(), HOUR + Duration::from_nanos(1));
            });
        }
        assert!(real.elapsed() < HOUR);
    });
}

#[test]
fn a_job_takes_a_while_of_virtual_time_within_the_range() {
    within("jobs", || {
        let took = |seed| {
            simulated(seed).block_on(async {
                let pool = ComputePool::new(PoolConfig::compute()).expect("a pool");
                let start = Instant::now();
                gristmill::spawn_blocking(|| ()).await.expect("no panic");
                let blocking = start.elapsed();
                gristmill::spawn_compute(|| ()).await.expect("no panic");
                let compute = start.elapsed() - blocking;
                let job = gristmill::run_in_executor(Some(&pool), || ());
                job.await.expect("no panic");
                assert_eq!(pool.metrics().threads, 0, "nothing went there");
                [blocking, compute, start.elapsed() - blocking - compute]
            })
        };
        let all: Vec<_> = (0..200).flat_map(took).collect();
        assert!(
            all.iter()
                .all(|took| (SHORTEST_JOB..=LONGEST_JOB).contains(took)),
            "{all:?}"
        );
        let (shortest, longest) = (all.iter().min(), all.iter().max());
        assert!(shortest < Some(&(LONGEST_JOB / 10)) && longest > Some(&(LONGEST_JOB / 10 * 9)));
    });
}

#[test]
fn jobs_and_timers_pass_each_other_as_the_seed_has_it() {
    within("passing", || {
        let order = |seed| {
            let log = Log::default();
            simulated(seed).block_on(async {
                let mut jobs = JoinSet::new();
                for name in ["a", "b"] {
                    let log = log.clone();
                    jobs.spawn_blocking(move || log.add(name));
                }
                sleep(LONGEST_JOB / 2).await;
                log.add("timer");
                jobs.join_all().await;
            });
            log.take().join(" ")
        };
        let orders: BTreeSet<_> = (0..200).map(order).collect();
        assert_eq!(orders.len(), 6, "{orders:?}");
    });
}

#[test]
fn jobs_run_on_the_simulating_thread_one_at_a_time() {
    within("one thread", || {
        simulated(9).block_on(async {
            let own = std::thread::current().id();
            let mut jobs = JoinSet::new();
            for _ in 0..20 {
                jobs.spawn_blocking(|| (std::thread::current().id(), gristmill::task::try_id()));
            }
            let seen = jobs.join_all().await;
            assert!(
                seen.iter()
                    .all(|(thread, id)| *thread == own && id.is_some())
            );
            assert_eq!(
                gristmill::task::block_in_place(|| std::thread::current().id()),
                own
            );
        });
    });
}

#[test]
fn an_aborted_job_never_runs_and_a_finished_one_was_not_aborted() {
    within("aborted jobs", || {
        let mut seen = BTreeSet::new();
        for seed in 0..100 {
            let ran = Log::default();
            let outcome = simulated(seed).block_on(async {
                let log = ran.clone();
                let job = gristmill::spawn_blocking(move || log.add("ran"));
                sleep(LONGEST_JOB / 2).await;
                job.abort();
                job.await.map_err(|error| error.is_cancelled())
            });
            let has_run = !ran.take().is_empty();
            assert_eq!(outcome, if has_run { Ok(()) } else { Err(true) });
            seen.insert(has_run);
        }
        assert_eq!(seen.len(), 2);
    });
}

#[test]
fn files_take_part() {
    within("files", || {
        let dir = common::temp_dir::TempDir::new();
        let digest = |seed| {
            let runtime = simulated(seed);
            runtime.block_on(async {
                let path = dir.path().join("file");
                let mut tasks = JoinSet::new();
                for name in ["a", "b"] {
                    let path = path.clone();
                    tasks.spawn(async move {
                        gristmill::fs::write(&path, name).await.expect("written");
                        gristmill::fs::read_to_string(&path).await.expect("read")
                    });
                }
                assert_eq!(tasks.join_all().await.len(), 2);
            });
            runtime.metrics().schedule_digest()
        };
        assert!((0..10).all(|seed| digest(seed) == digest(seed)));
    });
}

#[test]
fn who_yields_until_something_later_has_happened_sees_it_happen() {
    within("yielding", || {
        simulated(1).block_on(async {
            let start = Instant::now();
            let (job, timer) = (
                gristmill::spawn_blocking(|| ()),
                gristmill::spawn(sleep(LONGEST_JOB)),
            );
            while !(job.is_finished() && timer.is_finished()) {
                yield_now().await;
            }
            assert_eq!(
                start.elapsed(),
                LONGEST_JOB,
                "time stops at every timer and job"
            );
            let endless = async {
                loop {
                    yield_now().await;
                }
            };
            assert!(timeout(Duration::from_millis(5), endless).await.is_err());
        });
    });
}
