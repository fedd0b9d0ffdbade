//! The task's cell by hand: every way in which a task can end, with wakers and handles in every order.
//!
//! These run under Miri too, which checks each access to the cell: see `docs/testing.md`.

use super::header::Header;
use super::{
    AbortHandle, Aborts, Cause, JoinError, JoinHandle, Meta, OwnedSet, Runnable, Schedule, allocate,
};
use crate::sync::{Arc, Mutex};
use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A scheduler that keeps its runnables in a list, and its tasks in a set.
#[derive(Clone)]
struct List {
    runnables: Arc<Mutex<VecDeque<Runnable>>>,
    tasks: Arc<OwnedSet>,
    aborts: Arc<Aborts>,
}

impl List {
    fn new() -> Self {
        Self {
            runnables: Arc::new(Mutex::new(VecDeque::new())),
            tasks: Arc::new(OwnedSet::new()),
            aborts: Arc::new(Aborts::new()),
        }
    }

    fn pop(&self) -> Option<Runnable> {
        self.runnables.lock().pop_front()
    }

    fn run_all(&self) {
        while let Some(runnable) = self.pop() {
            runnable.run();
        }
    }

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let meta = Meta::new(Location::caller());
        let (runnable, handle, member) = allocate(future, self.clone(), meta, true);
        self.tasks
            .insert(member.expect("registered"))
            .expect("open");
        self.runnables.lock().push_back(runnable);
        handle
    }
}

impl Schedule for List {
    const CLAIM_ON_ABORT: bool = false;
    type Address = Self;

    fn address(&self) -> Self {
        self.clone()
    }

    fn send(list: Self, runnable: Runnable, _cause: Cause) {
        list.runnables.lock().push_back(runnable);
    }

    fn release(&self, task: &Header) -> bool {
        self.tasks.remove(task)
    }

    fn aborts(&self) -> Option<&Aborts> {
        Some(&self.aborts)
    }
}

fn poll<T>(handle: &mut JoinHandle<T>) -> Poll<Result<T, JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn an_output_is_handed_over_whole() {
    let list = List::new();
    let mut handle = list.spawn(async { vec![String::from("grist"); 3] });
    assert!(poll(&mut handle).is_pending());
    list.run_all();
    assert!(matches!(poll(&mut handle), Poll::Ready(Ok(output)) if output.len() == 3));
}

#[test]
fn wakers_used_up_and_kept_wake_alike() {
    let list = List::new();
    let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
    let kept = Arc::clone(&wakers);
    let mut polls = 0;
    let mut handle = list.spawn(poll_fn(move |cx| {
        polls += 1;
        if polls > 4 {
            return Poll::Ready(polls);
        }
        kept.lock().extend([cx.waker().clone(), cx.waker().clone()]);
        Poll::Pending
    }));
    for _ in 0..5 {
        list.run_all();
        for (number, waker) in std::mem::take(&mut *wakers.lock()).into_iter().enumerate() {
            if number % 2 == 0 {
                waker.wake_by_ref();
            } else {
                waker.wake();
            }
        }
    }
    assert!(matches!(poll(&mut handle), Poll::Ready(Ok(5))));
}

#[test]
fn wakers_outlive_the_task_and_cross_threads() {
    let list = List::new();
    let place = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&place);
    let handle = list.spawn(poll_fn(move |cx| {
        *kept.lock() = Some(cx.waker().clone());
        Poll::Ready(Box::new(1))
    }));
    list.run_all();
    drop((handle, list));
    let waker = place.lock().take().expect("polled");
    let other = waker.clone();
    waker.wake();
    std::thread::spawn(move || other.wake())
        .join()
        .expect("no panic");
}

#[test]
fn abort_takes_effect_once_and_late_aborts_none() {
    let list = List::new();
    let owned = Box::new(5);
    let mut handle = list.spawn(async move {
        pending::<()>().await;
        drop(owned);
    });
    list.run_all();
    let abort = handle.abort_handle();
    handle.abort();
    abort.abort();
    list.run_all();
    assert!(matches!(poll(&mut handle), Poll::Ready(Err(error)) if error.is_cancelled()));
    drop(handle);
    abort.abort();
    assert!(abort.is_finished());
    assert!(list.pop().is_none());
}

#[test]
fn outputs_nobody_wants_are_dropped_before_and_after_the_end() {
    let list = List::new();
    let probe = Arc::new(());
    for drop_first in [true, false] {
        let output = Arc::clone(&probe);
        let mut handle = Some(list.spawn(async move { output }));
        if drop_first {
            handle = None;
        }
        list.run_all();
        drop(handle);
        assert_eq!(Arc::strong_count(&probe), 1);
    }
}

#[test]
fn a_runnable_that_is_dropped_cancels_its_task() {
    let list = List::new();
    let mut handle = list.spawn(pending::<()>());
    drop(list.pop());
    assert!(matches!(poll(&mut handle), Poll::Ready(Err(error)) if error.is_cancelled()));
    assert_eq!(list.tasks.len(), 0);
}

#[test]
fn a_closed_set_gives_every_member_out_and_takes_none() {
    let list = List::new();
    let handles: Vec<_> = (0..5)
        .map(|number| {
            list.spawn(async move {
                if number % 2 == 0 {
                    pending::<()>().await;
                }
            })
        })
        .collect();
    list.run_all();
    assert_eq!(list.tasks.len(), 3);
    list.tasks.close();
    while let Some(task) = list.tasks.pop() {
        task.end(JoinError::shut_down(task.meta().id));
    }
    assert!(handles.iter().all(JoinHandle::is_finished));
    let meta = Meta::new(Location::caller());
    let (_runnable, _handle, member) = allocate(async {}, list.clone(), meta, true);
    assert!(list.tasks.insert(member.expect("registered")).is_err());
}

#[test]
fn a_set_grows_with_the_tasks_that_live_at_once_and_not_with_those_that_come_and_go() {
    let list = List::new();
    let churn = if cfg!(miri) { 300 } else { 20_000 };
    let mut waiting = Vec::new();
    for alive in [1, 8, 9, 100, 300] {
        while waiting.len() < alive {
            waiting.push(list.spawn(pending::<()>()));
        }
        list.run_all();
        for _ in 0..churn {
            drop(list.spawn(async {}));
            list.run_all();
        }
        let places = list.tasks.places();
        assert!(places <= 3 * (alive + 1) + 128, "{places} for {alive}");
        assert_eq!(list.tasks.len(), alive);
    }
    // Their cells hold the list, and it the set that holds them.
    while let Some(task) = list.tasks.pop() {
        task.end(JoinError::shut_down(task.meta().id));
    }
}

#[test]
fn two_threads_run_tasks_that_yield_and_are_aborted() {
    let list = List::new();
    let mut handles: Vec<_> = (0..6)
        .map(|_| {
            let mut polls = 0;
            list.spawn(poll_fn(move |cx| {
                polls += 1;
                if polls == 4 {
                    return Poll::Ready(vec![polls]);
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }))
        })
        .collect();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let list = list.clone();
            std::thread::spawn(move || list.run_all())
        })
        .collect();
    handles[2].abort();
    for thread in threads {
        thread.join().expect("no panic");
    }
    list.run_all();
    assert!(handles.iter_mut().all(|handle| poll(handle).is_ready()));
}

/// The error of a task that has ended without an output.
fn error<T>(handle: &mut JoinHandle<T>) -> JoinError {
    match poll(handle) {
        Poll::Ready(Err(error)) => error,
        Poll::Ready(Ok(_)) => panic!("the task has an output"),
        Poll::Pending => panic!("the task has not ended"),
    }
}

#[test]
fn the_first_abort_is_told_and_nothing_of_it_stays() {
    let list = List::new();
    let mut handle = list.spawn(pending::<()>());
    list.run_all();
    let first = line!() + 1;
    handle.abort();
    handle.abort_handle().abort();
    assert_eq!(list.aborts.len(), 1);
    list.run_all();
    let error = error(&mut handle);
    assert_eq!(error.aborted_at().map(Location::line), Some(first));
    assert_eq!(error.aborted_by(), None);
    handle.abort();
    assert_eq!(list.aborts.len(), 0);
}

#[test]
fn an_abort_in_the_last_poll_leaves_nothing_with_a_handle_or_without() {
    for is_joined in [true, false] {
        let list = List::new();
        let own = Arc::new(Mutex::new(None::<AbortHandle>));
        let abort = Arc::clone(&own);
        let mut handle = Some(list.spawn(poll_fn(move |_| {
            let abort = abort.lock().take().expect("polled once");
            abort.abort();
            Poll::Ready(7)
        })));
        *own.lock() = handle.as_ref().map(JoinHandle::abort_handle);
        handle.take_if(|_| !is_joined);
        list.run_all();
        assert_eq!(list.aborts.len(), 0);
        if let Some(mut handle) = handle {
            assert!(matches!(poll(&mut handle), Poll::Ready(Ok(7))));
        }
    }
}

#[test]
fn a_handle_that_goes_after_the_abort_takes_nothing_of_it_along() {
    let list = List::new();
    let own = Arc::new(Mutex::new(None::<JoinHandle<()>>));
    let handle = Arc::clone(&own);
    let spawned = list.spawn(poll_fn(move |_| {
        let handle = handle.lock().take().expect("polled once");
        handle.abort();
        drop(handle);
        Poll::Ready(())
    }));
    *own.lock() = Some(spawned);
    list.run_all();
    assert!(list.pop().is_none());
    assert_eq!(list.aborts.len(), 0);
}

#[test]
fn a_shutdown_tells_that_it_was_one_unless_an_abort_came_first() {
    let list = List::new();
    let mut handles = [list.spawn(pending::<()>()), list.spawn(pending::<()>())];
    list.run_all();
    handles[0].abort();
    while let Some(task) = list.tasks.pop() {
        task.end(JoinError::shut_down(task.meta().id));
    }
    assert!(error(&mut handles[0]).aborted_at().is_some());
    let ended = error(&mut handles[1]);
    assert!(ended.is_cancelled() && ended.aborted_at().is_none());
    assert!(ended.to_string().contains("its runtime shut down"));
    assert_eq!(list.aborts.len(), 0);
    list.run_all();
}
