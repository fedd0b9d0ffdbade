//! Waits for tasks that are given up, wherever they wait, lose no output, and leave those running that are to run and no others.

mod common;

use common::ends::{End, at_every_end};
use common::{Count, Probe};
use gristmill::executor::{BlockingPool, PoolConfig};
use gristmill::signal::Shutdown;
use gristmill::stream::{self, ConcurrentExt, StreamExt};
use gristmill::sync::{Event, Mutex, Semaphore};
use gristmill::task::{
    self, JoinHandle, JoinSet, TaskGroup, WaitFor, as_completed, consume_budget, gather, group,
    shield, try_gather, unconstrained, yield_now,
};
use gristmill::time::Duration;
use gristmill::{join, select, try_join};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc;

/// Long enough for whatever a test waits for.
const LONG: Duration = Duration::from_secs(60);

/// What is awaited by `&mut`, lent to a future that may be a task.
fn lent<T>(value: T) -> (Arc<Mutex<T>>, Arc<Mutex<T>>) {
    let lent = Arc::new(Mutex::new(value));
    (Arc::clone(&lent), lent)
}

/// What was lent, once whoever had it is gone.
fn back<T>(lent: Arc<Mutex<T>>) -> T {
    let Ok(lent) = Arc::try_unwrap(lent) else {
        panic!("somebody still has it");
    };
    lent.into_inner()
}

/// Futures that wait until they are let through one by one, and count their ends and drops.
#[derive(Clone)]
struct Gate {
    open: Arc<Semaphore>,
    passed: Count,
    gone: Count,
}

impl Gate {
    fn new() -> Self {
        Self {
            open: Arc::new(Semaphore::new(0)),
            passed: Count::default(),
            gone: Count::default(),
        }
    }

    /// One that gives its number, and is counted as gone once it is dropped.
    fn pass(&self, number: u32) -> impl Future<Output = u32> + Send + use<> {
        let Self { open, passed, gone } = self.clone();
        let probe = gone.on_drop();
        async move {
            let _probe: Probe = probe;
            open.acquire().await.expect("open").forget();
            passed.add();
            number
        }
    }

    /// As [`pass`](Self::pass), where failures are possible.
    fn try_pass(
        &self,
        number: u32,
    ) -> impl Future<Output = Result<u32, Infallible>> + Send + use<> {
        let pass = self.pass(number);
        async { Ok(pass.await) }
    }

    /// Lets one through.
    fn open(&self) {
        self.open.add_permits(1);
    }

    /// Every future that was ever made is gone, though some may be going just now.
    fn assert_all_gone(&self, made: usize) {
        common::eventually("all are gone", || self.gone.get() == made);
    }

    /// Lets all through that are left, and waits for them.
    fn let_all_through(&self, made: usize) {
        common::eventually("all have passed", || {
            self.open();
            self.passed.get() == made
        });
    }
}

#[test]
fn a_handle_that_is_awaited_by_reference_keeps_its_output_for_the_next() {
    at_every_end(|end| {
        let gate = Gate::new();
        let (own, lent) = lent(gristmill::spawn(gate.pass(7)));
        let wait = async move { (&mut *lent.lock().await).await };
        // The handle is the future here, and goes on.
        let got = end.may_keep_waker().of_woken(wait, |_| gate.open());
        match got {
            Some(got) => assert_eq!(got.expect("no panic"), 7),
            None => {
                gate.open();
                assert_eq!(end.runtime().block_on(back(own)).expect("no panic"), 7);
            }
        }
        gate.assert_all_gone(1);
    });
}

/// Gives up awaiting a handle, which must not abort what it is of.
fn detach<T: Send + 'static>(end: &mut End, make: impl FnOnce(&Gate) -> JoinHandle<T>) {
    let gate = Gate::new();
    let handle = make(&gate);
    let got = end.of_woken(handle, |_| gate.open());
    assert!(got.is_none_or(|got| got.is_ok()));
    gate.let_all_through(1);
    gate.assert_all_gone(1);
}

#[test]
fn a_handle_that_is_dropped_lets_its_task_go_on() {
    at_every_end(|end| detach(end, |gate| gristmill::spawn(gate.pass(1))));
    at_every_end(|end| detach(end, |gate| shield(gate.pass(1))));
}

#[test]
fn jobs_whose_handle_is_dropped_are_carried_to_their_end() {
    fn job(gate: &Gate) -> impl FnOnce() + Send + use<> {
        let handle = gristmill::runtime::Handle::current();
        let pass = gate.pass(1);
        move || {
            handle.block_on(pass);
        }
    }
    at_every_end(|end| detach(end, |gate| gristmill::spawn_blocking(job(gate))));
    at_every_end(|end| detach(end, |gate| gristmill::spawn_compute(job(gate))));
    at_every_end(|end| {
        detach(end, |gate| gristmill::run_in_executor(None, job(gate)));
    });
    let pool = Arc::new(BlockingPool::new(PoolConfig::blocking()).expect("a pool"));
    at_every_end(move |end| {
        detach(end, |gate| {
            gristmill::run_in_executor(Some(&*pool), job(gate))
        });
    });
}

#[test]
fn a_set_keeps_what_a_wait_that_was_given_up_did_not_give() {
    at_every_end(|end| {
        let gate = Gate::new();
        let mut set = JoinSet::new();
        for number in 0..3 {
            set.spawn(gate.pass(number));
        }
        let (own, lent) = lent(set);
        let wait = async move {
            let mut set = lent.lock().await;
            set.join_next().await.expect("three").expect("no panic");
            set.join_next_with_id()
                .await
                .expect("two")
                .expect("no panic");
        };
        // The set itself keeps the waker, until it is asked again or dropped.
        let got = end.may_keep_waker().of_woken(wait, |_| gate.open());
        let mut set = back(own);
        if got.is_some() {
            assert_eq!(set.len(), 1);
        }
        // One that was taken by the future before it was given up went with it; the others are all here.
        let left = set.len();
        assert!(left >= 1);
        gate.let_all_through(3);
        let mut joined = 0;
        while let Some(output) = end.runtime().block_on(set.join_next()) {
            output.expect("no panic");
            joined += 1;
        }
        assert_eq!(joined, left);
    });
}

#[test]
fn a_set_that_is_dropped_while_it_is_joined_or_shut_down_leaves_no_task() {
    at_every_end(|end| {
        let gate = Gate::new();
        let mut set = JoinSet::new();
        for number in 0..2 {
            set.spawn(gate.pass(number));
        }
        let got = end.of_woken(set.join_all(), |_| gate.open());
        assert!(got.is_none_or(|got| got.len() == 2));
        gate.assert_all_gone(2);
    });
    at_every_end(|end| {
        let gate = Gate::new();
        let mut set = JoinSet::new();
        set.spawn(gate.pass(1));
        let was_polled = Arc::new(Event::new());
        let told = Arc::clone(&was_polled);
        let (own, lent) = lent(set);
        let shut_down = async move {
            let mut set = lent.lock().await;
            told.set();
            set.shutdown().await;
        };
        end.may_keep_waker().of_woken(shut_down, |_| {});
        if was_polled.is_set() {
            // Aborted all the same, and still to be awaited.
            gate.assert_all_gone(1);
        }
        drop(own);
        gate.assert_all_gone(1);
    });
}

#[test]
fn a_group_goes_on_when_its_join_is_given_up_and_ends_with_its_scope() {
    at_every_end(|end| {
        let gate = Gate::new();
        let group = TaskGroup::new();
        for number in 0..2 {
            group.spawn(gate.try_pass(number));
        }
        let (own, lent) = lent(group);
        let join = async move { lent.lock().await.join().await };
        let got = end.may_keep_waker().of(join, |_| gate.let_all_through(2));
        assert!(got.is_none_or(|got| got.is_ok()));
        gate.let_all_through(2);
        let mut group = back(own);
        end.runtime().block_on(group.join()).expect("no failure");
        assert_eq!(group.len(), 0);
    });
    at_every_end(|end| {
        let gate = Gate::new();
        let own = gate.clone();
        let scope = group(async move |group| {
            let first = group.spawn(own.try_pass(1));
            let second = group.spawn(own.try_pass(2));
            Ok::<_, Infallible>(first.await.expect("passed") + second.await.expect("passed"))
        });
        let got = end.of_woken(scope, |_| {
            gate.open();
            gate.open();
        });
        assert!(got.is_none_or(|got| got.expect("no failure") == 3));
    });
}

#[test]
fn a_group_whose_join_was_given_up_leaves_nothing_when_it_is_dropped() {
    at_every_end(|end| {
        let gate = Gate::new();
        let mut limited = TaskGroup::with_limit(1);
        for number in 0..3 {
            limited.spawn(gate.try_pass(number));
        }
        let handle = limited.handle();
        let got = end.of_woken(async move { limited.join().await.is_ok() }, |_| {
            gate.let_all_through(3)
        });
        assert!(got.is_none_or(|got| got));
        gate.assert_all_gone(3);
        drop(handle);
    });
}

#[test]
fn many_at_once_that_are_given_up_leave_no_task() {
    at_every_end(|end| {
        let gate = Gate::new();
        let all = gather([gate.pass(1), gate.pass(2)]);
        let got = end.of(all, |_| gate.let_all_through(2));
        assert!(got.is_none_or(|got| got.len() == 2));
        gate.assert_all_gone(2);
    });
    at_every_end(|end| {
        let gate = Gate::new();
        let all = try_gather([gate.try_pass(1), gate.try_pass(2)]);
        let got = end.of(all, |_| gate.let_all_through(2));
        assert!(got.is_none_or(|got| got == Ok(vec![1, 2])));
        gate.assert_all_gone(2);
    });
}

#[test]
fn waits_for_some_of_many_that_are_given_up_let_the_tasks_go_on() {
    at_every_end(|end| {
        let gate = Gate::new();
        let handles = [1, 2].map(|number| gristmill::spawn(gate.pass(number)));
        let some = task::wait(handles, WaitFor::All).timeout(LONG);
        let got = end.of(some, |_| gate.let_all_through(2));
        assert!(got.is_none_or(|(done, pending)| (done.len(), pending.len()) == (2, 0)));
        gate.let_all_through(2);
    });
    at_every_end(|end| {
        let gate = Gate::new();
        let handles = [1, 2].map(|number| gristmill::spawn(gate.try_pass(number)));
        let some = task::try_wait(handles, WaitFor::FirstCompleted);
        let got = end.of_woken(some, |_| gate.open());
        assert!(got.is_none_or(|(done, _)| !done.is_empty()));
        gate.let_all_through(2);
    });
}

#[test]
fn outputs_as_they_come_are_not_lost_with_a_next_that_is_given_up() {
    at_every_end(|end| {
        let gate = Gate::new();
        let (own, lent) = lent(as_completed([gate.pass(1), gate.pass(2)]));
        let next = async move { lent.lock().await.next().await };
        let got = end.may_keep_waker().of(next, |_| gate.open());
        let mut rest = back(own);
        gate.open();
        gate.open();
        let left = 2 - got.into_iter().flatten().count();
        for _ in 0..left {
            gate.open();
            assert!(end.runtime().block_on(rest.next()).is_some());
            gate.open();
        }
        assert_eq!(end.runtime().block_on(rest.next()), None);
    });
}

#[test]
fn futures_of_one_task_are_dropped_with_it() {
    at_every_end(|end| {
        let gate = Gate::new();
        let (a, b, c, d) = (
            gate.pass(1),
            gate.pass(2),
            gate.try_pass(3),
            gate.try_pass(4),
        );
        let both = async move {
            let (one, two) = join!(a, b);
            let sum = try_join!(c, d).map(|(three, four)| three + four);
            (one + two, sum)
        };
        let got = end.of(both, |_| gate.open());
        assert!(got.is_none_or(|got| got == (3, Ok(7))));
        gate.assert_all_gone(4);
    });
    at_every_end(|end| {
        let gate = Gate::new();
        let (a, b) = (gate.pass(1), gate.pass(2));
        let first = async move {
            select! {
                one = a => one,
                two = b => two,
            }
        };
        let got = end.of(first, |poll| {
            if poll == 2 {
                gate.open();
            }
        });
        gate.assert_all_gone(2);
        // What was opened for one that is gone opens for the next.
        assert_eq!(gate.passed.get(), usize::from(got.is_some()));
    });
}

#[test]
fn a_stream_of_several_at_a_time_drops_what_is_in_progress() {
    at_every_end(|end| {
        let gate = Gate::new();
        let items: Vec<_> = (0..3).map(|number| gate.pass(number)).collect();
        let collect = stream::iter(items).buffered(2).collect::<Vec<_>>();
        let got = end.of(collect, |_| gate.open());
        assert!(got.is_none_or(|got| got == [0, 1, 2]));
        gate.assert_all_gone(3);
    });
    at_every_end(|end| {
        let gate = Gate::new();
        let items: Vec<_> = (0..3).map(|number| gate.pass(number)).collect();
        let each = stream::iter(items).for_each_concurrent(2, async |item| {
            item.await;
        });
        end.of(each, |_| gate.open());
        gate.assert_all_gone(3);
    });
    at_every_end(|end| {
        let gate = Gate::new();
        let items: Vec<_> = (0..3).map(|number| gate.pass(number)).collect();
        let (own, lent) = lent(stream::iter(items).buffer_unordered(2));
        let next = async move { lent.lock().await.next().await };
        let got = end.may_keep_waker().of(next, |_| gate.open());
        let mut rest = back(own);
        let left = 3 - got.into_iter().flatten().count();
        for _ in 0..left {
            gate.open();
            gate.open();
            assert!(
                end.runtime().block_on(rest.next()).is_some(),
                "none is lost"
            );
        }
        assert_eq!(end.runtime().block_on(rest.next()), None);
    });
}

#[test]
fn yields_that_are_given_up_leave_nothing() {
    gristmill::task_local! {
        static NUMBER: u32;
    }
    at_every_end(|end| {
        let yields = NUMBER.scope(7, async {
            yield_now().await;
            consume_budget().await;
            unconstrained(yield_now()).await;
            NUMBER.get()
        });
        let got = end.of(yields, |_| {});
        assert!(got.is_none_or(|got| got == 7));
        assert!(
            NUMBER.try_with(|_| ()).is_err(),
            "the value is not left in the thread"
        );
    });
}

#[test]
fn an_orderly_end_that_is_given_up_leaves_no_task() {
    at_every_end(|end| {
        let gate = Gate::new();
        let mut shutdown = Shutdown::new().expect("it listens");
        let (pass, inside) = (gate.pass(1), gate.pass(2));
        shutdown.spawn(async move {
            pass.await;
        });
        let token = shutdown.token().clone();
        let whole = async move {
            shutdown.unless_requested(inside).await;
            shutdown.requested().await;
            shutdown.finish(LONG).await
        };
        let got = end.of_woken(whole, |_| {
            gate.open();
            gate.open();
            token.cancel();
        });
        assert!(got.is_none_or(|report| report.finished() == 1));
        gate.assert_all_gone(2);
    });
}

#[test]
fn a_job_that_no_thread_has_begun_is_dropped_by_an_abort() {
    common::within("abort", || {
        let runtime = common::one_blocking_thread();
        let occupied = common::Occupied::new(runtime.handle());
        let (gone, (sender, receiver)) = (Count::default(), mpsc::channel::<()>());
        let probe = gone.on_drop();
        let job = runtime.spawn_blocking(move || {
            let _probe = probe;
            drop(sender);
        });
        job.abort();
        assert!(runtime.block_on(job).expect_err("aborted").is_cancelled());
        assert_eq!(gone.get(), 1);
        assert!(receiver.recv().is_err());
        drop(occupied);
        common::ends::assert_nothing_is_left(&runtime.metrics(), "jobs");
    });
}
