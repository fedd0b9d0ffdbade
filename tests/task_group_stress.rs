//! A `TaskGroup` where everything happens at once: failures, panics, aborts, spawns, limits, drops, shutdowns.

mod common;

use common::{Count, Flavour, eventually, on_each, silence_panics, within};
use gristmill::task::{self, GroupHandle, TaskGroup};
use gristmill::time::{Duration, timeout};
use std::future::pending;

/// Numbers that look random, the same for the same seed.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A child that does something for a while, and ends in some way.
async fn anything(
    group: GroupHandle<u64>,
    mut dice: Dice,
    depth: u32,
    counts: (Count, Count),
) -> Result<u64, u64> {
    for _ in 0..dice.roll(6) {
        task::yield_now().await;
    }
    match dice.roll(40) {
        0 => return Err(dice.roll(1_000)),
        1 => panic!("expected by the test"),
        2 => group.abort_all(),
        3 => pending().await,
        4..=9 => {
            let sibling = spawn_anything(&group, Dice(dice.roll(u64::MAX)), depth + 1, &counts);
            sibling.abort();
        }
        10..=16 if depth < 4 => {
            for _ in 0..dice.roll(3) {
                drop(spawn_anything(
                    &group,
                    Dice(dice.roll(u64::MAX)),
                    depth + 1,
                    &counts,
                ));
            }
        }
        _ => {}
    }
    Ok(dice.roll(10))
}

fn spawn_anything(
    group: &GroupHandle<u64>,
    dice: Dice,
    depth: u32,
    counts: &(Count, Count),
) -> task::GroupTask<u64> {
    let (made, dropped) = counts;
    made.add();
    let probe = dropped.on_drop();
    let child = anything(group.clone(), dice, depth, counts.clone());
    group.spawn(async move {
        let _probe = probe;
        child.await
    })
}

#[test]
fn whatever_happens_in_a_group_all_of_it_ends_and_every_child_is_dropped_once() {
    silence_panics();
    on_each(|runtime| {
        for seed in 0..1_000 {
            let counts = (Count::default(), Count::default());
            runtime.block_on(async {
                let mut dice = Dice(seed);
                let mut group = match dice.roll(3) {
                    0 => TaskGroup::with_limit(1 + dice.roll(4) as usize),
                    _ => TaskGroup::new(),
                };
                let handle = group.handle();
                let children: Vec<_> = (0..dice.roll(30))
                    .map(|_| spawn_anything(&handle, Dice(dice.roll(u64::MAX)), 0, &counts))
                    .collect();
                match dice.roll(4) {
                    // Children that never end have to be ended.
                    0 => drop(group),
                    1 => {
                        let _ = timeout(Duration::from_millis(1), group.join()).await;
                        drop(group);
                    }
                    _ => {
                        for _ in 0..dice.roll(20) {
                            task::yield_now().await;
                        }
                        group.abort_all();
                        let _ = group.join().await;
                        assert_eq!(group.len(), 0);
                        assert_eq!(
                            counts.0.get(),
                            counts.1.get(),
                            "all are gone when it is joined"
                        );
                    }
                }
                // Each one says how it ended, and none is waited for in vain.
                for child in children {
                    drop(child.await);
                }
            });
            let metrics = runtime.metrics();
            eventually("all tasks have ended", || {
                runtime.block_on(task::yield_now());
                metrics.num_alive_tasks() == 0
            });
            assert_eq!(counts.0.get(), counts.1.get());
        }
    });
}

#[test]
fn a_group_may_outlive_its_runtime() {
    within("a group without its runtime", || {
        for aborts_first in [false, true] {
            for limit in [1, 100] {
                let drops = Count::default();
                let runtime = Flavour::FourWorkers.runtime();
                let mut group = TaskGroup::<()>::with_limit(limit);
                let mut children = Vec::new();
                for _ in 0..10 {
                    let probe = drops.on_drop();
                    let child = async move {
                        let _probe = probe;
                        pending().await
                    };
                    children.push(group.spawn_on::<(), _>(child, runtime.handle()));
                }
                let handle = runtime.handle().clone();
                drop(runtime);
                assert_eq!(drops.get(), 10);
                if aborts_first {
                    group.abort_all();
                }
                // Too late for this one, on whichever thread it ends.
                let probe = drops.on_drop();
                let late = async move {
                    let _probe = probe;
                    Ok(())
                };
                let late = group.spawn_on(late, &handle);
                let other = Flavour::CurrentThread.runtime();
                assert!(other.block_on(group.join()).is_ok(), "no child has failed");
                assert!(other.block_on(late).is_err_and(|why| why.is_cancelled()));
                for child in children {
                    assert!(other.block_on(child).is_err_and(|why| why.is_cancelled()));
                }
                assert_eq!(drops.get(), 11);
            }
        }
    });
}

#[test]
fn many_tasks_may_spawn_into_a_group_that_fails_meanwhile() {
    on_each(|runtime| {
        for round in 0..50 {
            let counts = (Count::default(), Count::default());
            let mut group = TaskGroup::<usize>::new();
            // Without one that is there from the beginning, the first join could find the group empty, and close it.
            drop(group.spawn_on(pending::<Result<(), _>>(), runtime.handle()));
            let spawners: Vec<_> = (0..4)
                .map(|spawner| {
                    let (handle, (made, dropped)) = (group.handle(), counts.clone());
                    runtime.spawn(async move {
                        for n in 0..50 {
                            made.add();
                            let probe = dropped.on_drop();
                            handle.spawn(async move {
                                let _probe = probe;
                                task::yield_now().await;
                                if spawner == 0 && n == round {
                                    return Err(n);
                                }
                                if n % 2 == 0 { pending().await } else { Ok(()) }
                            });
                            if n % 8 == 0 {
                                task::yield_now().await;
                            }
                        }
                    })
                })
                .collect();
            let error = runtime.block_on(async {
                let error = group.join().await.err();
                for spawner in spawners {
                    spawner.await.expect("no panic");
                }
                error
            });
            assert_eq!(
                error.map(|error| error.errors().copied().collect()),
                Some(vec![round])
            );
            assert_eq!(counts.0.get(), 200);
            eventually("every child is dropped", || {
                runtime.block_on(task::yield_now());
                counts.1.get() == 200
            });
        }
    });
}
