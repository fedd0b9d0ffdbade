//! The task's state word and cell: edges T1 to T6.

use super::{List, check, check_bounded, counting};
use crate::task::{JoinHandle, Meta, allocate};
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Counts its drops.
struct Probe(Arc<AtomicUsize>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn spawn<F>(list: &List, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (runnable, handle, _) =
        allocate(future, list.clone(), Meta::new(Location::caller()), false);
    list.push(runnable);
    handle
}

fn poll<T>(handle: &mut JoinHandle<T>, waker: &Waker) -> Poll<T> {
    let mut cx = Context::from_waker(waker);
    Pin::new(handle)
        .poll(&mut cx)
        .map(|output| output.expect("no panic"))
}

/// A future that waits for a flag, and leaves its waker for whoever sets it.
fn wait_for(
    flag: &Arc<AtomicBool>,
    place: &Arc<Mutex<Option<Waker>>>,
) -> impl Future<Output = ()> + Send + 'static {
    let (flag, place) = (Arc::clone(flag), Arc::clone(place));
    poll_fn(move |cx| {
        if flag.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        *place.lock().expect("not poisoned") = Some(cx.waker().clone());
        if flag.load(Ordering::Relaxed) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
}

#[test]
fn a_wake_up_is_never_lost_and_the_poll_after_it_sees_what_came_before() {
    check(|| {
        let list = List::new();
        let flag = Arc::new(AtomicBool::new(false));
        let polled_first = Arc::new(Mutex::new(None));
        let handle = spawn(&list, wait_for(&flag, &polled_first));
        let running = {
            let list = list.clone();
            thread::spawn(move || list.run_all())
        };
        // Relaxed on purpose: only the wake-up's edge T1 makes it visible to the next poll.
        flag.store(true, Ordering::Relaxed);
        let waker = polled_first.lock().expect("not poisoned").take();
        if let Some(waker) = waker {
            waker.wake();
        }
        running.join().expect("no panic");
        list.run_all();
        if handle.is_finished() {
            return;
        }
        // The poll came before the flag, and its waker after the look for it: still there.
        let waker = polled_first.lock().expect("not poisoned").take();
        waker.expect("a pending task has left its waker").wake();
        list.run_all();
        assert!(handle.is_finished());
    });
}

#[test]
fn a_poll_sees_what_the_one_before_it_did_on_another_thread() {
    check(|| {
        let list = List::new();
        // Relaxed on purpose: only edge T2 makes it visible to the next poll.
        let trace = Arc::new(AtomicUsize::new(0));
        let place = Arc::new(Mutex::new(None));
        let handle = {
            let place = Arc::clone(&place);
            let mut is_first = true;
            let two_polls = poll_fn(move |cx| {
                if is_first {
                    is_first = false;
                    *place.lock().expect("not poisoned") = Some(cx.waker().clone());
                    trace.store(1, Ordering::Relaxed);
                    return Poll::Pending;
                }
                assert_eq!(trace.load(Ordering::Relaxed), 1, "another task's past");
                Poll::Ready(())
            });
            spawn(&list, two_polls)
        };
        let running = {
            let list = list.clone();
            thread::spawn(move || list.run_all())
        };
        let waker = place.lock().expect("not poisoned").take();
        if let Some(waker) = waker {
            waker.wake();
            list.run_all();
        }
        running.join().expect("no panic");
        let waker = place.lock().expect("not poisoned").take();
        waker.into_iter().for_each(Waker::wake);
        list.run_all();
        assert!(handle.is_finished());
    });
}

#[test]
fn two_wake_ups_at_once_make_one_runnable() {
    check(|| {
        let list = List::new();
        let place = Arc::new(Mutex::new(None));
        let polls = Arc::new(AtomicUsize::new(0));
        let handle = {
            let (place, polls) = (Arc::clone(&place), Arc::clone(&polls));
            spawn(&list, async move {
                poll_fn(move |cx| {
                    *place.lock().expect("not poisoned") = Some(cx.waker().clone());
                    if polls.fetch_add(1, Ordering::SeqCst) == 0 {
                        Poll::Pending
                    } else {
                        Poll::Ready(())
                    }
                })
                .await;
            })
        };
        list.run_all();
        let waker = place.lock().expect("not poisoned").take().expect("polled");
        let other = {
            let waker = waker.clone();
            thread::spawn(move || waker.wake())
        };
        waker.wake_by_ref();
        drop(waker);
        other.join().expect("no panic");
        let first = list.pop();
        assert!(first.is_some());
        assert!(list.pop().is_none(), "a second runnable");
        first.into_iter().for_each(crate::task::Runnable::run);
        assert!(handle.is_finished());
        drop(place.lock().expect("not poisoned").take());
    });
}

#[test]
fn the_join_waker_is_woken_or_the_output_is_there() {
    check(|| {
        let list = List::new();
        let mut handle = spawn(&list, async { 7 });
        let running = {
            let list = list.clone();
            thread::spawn(move || list.run_all())
        };
        let (first, waker) = counting();
        let (second, other_waker) = counting();
        let mut output = poll(&mut handle, &waker);
        if output.is_pending() {
            output = poll(&mut handle, &other_waker);
        }
        running.join().expect("no panic");
        if output.is_pending() {
            let woken = first.0.load(Ordering::SeqCst) + second.0.load(Ordering::SeqCst);
            assert!(woken > 0, "nobody told the joiner");
            output = poll(&mut handle, &waker);
        }
        assert_eq!(output, Poll::Ready(7));
    });
}

#[test]
fn a_handle_dropped_beside_the_completion_drops_output_and_waker_once() {
    check(|| {
        let list = List::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let probe = Probe(Arc::clone(&drops));
        let mut handle = spawn(&list, async move { probe });
        let (count, waker) = counting();
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut handle).poll(&mut cx).is_pending());
        let running = {
            let list = list.clone();
            thread::spawn(move || list.run_all())
        };
        drop(handle);
        running.join().expect("no panic");
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        drop(waker);
        assert_eq!(
            std::sync::Arc::strong_count(&count),
            1,
            "the join waker is gone too"
        );
    });
}

#[test]
fn a_detach_beside_the_first_poll_keeps_the_count() {
    check(|| {
        let list = List::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let probe = Probe(Arc::clone(&drops));
        let handle = spawn(&list, async move { drop(probe) });
        let running = {
            let list = list.clone();
            thread::spawn(move || list.run_all())
        };
        drop(handle);
        running.join().expect("no panic");
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn an_abort_beside_a_run_ends_the_task_once() {
    check(|| {
        let list = List::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let probe = Probe(Arc::clone(&drops));
        let mut handle = spawn(&list, async move {
            let _probe = probe;
            std::future::pending::<()>().await;
        });
        let abort = handle.abort_handle();
        let running = {
            let list = list.clone();
            thread::spawn(move || list.run_all())
        };
        abort.abort();
        running.join().expect("no panic");
        list.run_all();
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        let (_, waker) = counting();
        let mut cx = Context::from_waker(&waker);
        match Pin::new(&mut handle).poll(&mut cx) {
            Poll::Ready(Err(error)) => assert!(error.aborted_at().is_some(), "untold"),
            other => panic!("an aborted task gave {other:?}"),
        }
        assert_eq!(list.aborts.len(), 0);
    });
}

#[test]
fn an_abort_beside_the_end_leaves_no_note() {
    check_bounded(2, || {
        let list = List::new();
        let handle = spawn(&list, async { 7 });
        let abort = handle.abort_handle();
        let running = {
            let list = list.clone();
            thread::spawn(move || list.run_all())
        };
        abort.abort();
        drop(handle);
        running.join().expect("no panic");
        assert_eq!(list.aborts.len(), 0);
    });
}

#[test]
fn a_detach_beside_an_abort_leaves_no_note() {
    check_bounded(2, || {
        let list = List::new();
        let handle = spawn(&list, async { 7 });
        let abort = handle.abort_handle();
        let aborting = thread::spawn(move || abort.abort());
        drop(handle);
        list.run_all();
        aborting.join().expect("no panic");
        assert_eq!(list.aborts.len(), 0);
    });
}

/// The canary: an abort that is noted after its bit is not told.
#[test]
#[should_panic(expected = "untold")]
fn canary_an_abort_noted_after_its_bit_is_untold() {
    loom::model(|| {
        const ABORTED: usize = 1;
        let state = Arc::new(AtomicUsize::new(0));
        let note = Arc::new(Mutex::new(None));
        let aborting = {
            let (state, note) = (Arc::clone(&state), Arc::clone(&note));
            thread::spawn(move || {
                state.fetch_or(ABORTED, Ordering::AcqRel);
                *note.lock().expect("not poisoned") = Some(7);
            })
        };
        if state.fetch_or(0, Ordering::AcqRel) & ABORTED != 0 {
            let note = *note.lock().expect("not poisoned");
            assert!(note.is_some(), "untold");
        }
        aborting.join().expect("no panic");
    });
}

#[test]
fn a_shutdown_beside_a_run_drops_the_future_once() {
    check(|| {
        let list = List::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let probe = Probe(Arc::clone(&drops));
        let future = async move {
            let _probe = probe;
            std::future::pending::<()>().await;
        };
        let (runnable, handle, member) =
            allocate(future, list.clone(), Meta::new(Location::caller()), true);
        let member = member.expect("registered");
        let running = thread::spawn(move || runnable.run());
        member.end(crate::task::JoinError::shut_down(handle.id()));
        drop(member);
        running.join().expect("no panic");
        list.run_all();
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        assert!(handle.is_finished());
    });
}

/// The canary: a state word whose wake-up does nothing when the task runs loses the wake-up.
#[test]
#[should_panic(expected = "lost")]
fn canary_a_wake_up_ignored_while_running_is_lost() {
    check(|| {
        const RUNNING: usize = 1;
        const SCHEDULED: usize = 2;
        let state = Arc::new(AtomicUsize::new(RUNNING));
        let flag = Arc::new(AtomicBool::new(false));
        let waker = {
            let (state, flag) = (Arc::clone(&state), Arc::clone(&flag));
            thread::spawn(move || {
                flag.store(true, Ordering::SeqCst);
                if state.load(Ordering::SeqCst) & RUNNING == 0 {
                    state.fetch_or(SCHEDULED, Ordering::SeqCst);
                }
            })
        };
        let seen = flag.load(Ordering::SeqCst);
        state.fetch_and(!RUNNING, Ordering::SeqCst);
        waker.join().expect("no panic");
        assert!(
            seen || state.load(Ordering::SeqCst) & SCHEDULED != 0,
            "lost"
        );
    });
}
