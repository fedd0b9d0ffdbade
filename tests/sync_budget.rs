//! What everything in `sync` promises the other tasks: what is always ready yields all the same, and works without a runtime.

mod common;

use common::cut::{ByHand, now};
use common::{Flavour, within};
use gristmill::sync::{
    Barrier, CancellationToken, Event, Mutex, Notify, OnceCell, Promise, Queue, RwLock, Semaphore,
    broadcast, mpsc, oneshot, watch,
};
use gristmill::task::unconstrained;
use gristmill::time::{Duration, sleep};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a loop that is always ready beside a timer on a single thread; the timer has to end it.
fn never_keeps_a_timer_waiting<F>(what: &'static str, make: fn(Arc<AtomicBool>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    within(what, move || {
        let runtime = Flavour::CurrentThread.runtime();
        let is_over = Arc::new(AtomicBool::new(false));
        let greedy = runtime.spawn(make(Arc::clone(&is_over)));
        runtime.block_on(async move {
            sleep(Duration::from_millis(1)).await;
            is_over.store(true, Ordering::SeqCst);
            greedy.await.expect("no panic");
        });
    });
}

/// A test for each operation: repeated for as long as the flag is not set.
macro_rules! always_ready {
    ($($name:ident: $(let $var:pat = $value:expr;)* loop $body:block)*) => {$(
        #[test]
        fn $name() {
            never_keeps_a_timer_waiting(stringify!($name), |is_over| async move {
                $(let $var = $value;)*
                while !is_over.load(Ordering::SeqCst) $body
            });
        }
    )*};
}

always_ready! {
    a_lock_that_is_always_free_yields:
        let mutex = Mutex::new(());
        loop { drop(mutex.lock().await); }
    a_read_lock_that_is_always_free_yields:
        let lock = RwLock::new(());
        loop { drop(lock.read().await); }
    a_permit_that_is_always_free_yields:
        let semaphore = Semaphore::new(1);
        loop { drop(semaphore.acquire().await); }
    a_cell_that_is_always_filled_yields:
        let cell = OnceCell::from(1);
        loop { cell.get_or_init(async || 2).await; }
    a_channel_that_is_never_empty_yields:
        let (sender, mut receiver) = mpsc::unbounded_channel();
        loop {
            sender.send(1).expect("a receiver");
            receiver.recv().await.expect("an item");
        }
    a_channel_that_is_never_full_yields:
        let (sender, mut receiver) = mpsc::channel(2);
        loop {
            sender.send(1).await.expect("a receiver");
            receiver.try_recv().expect("an item");
        }
    a_oneshot_that_is_always_sent_yields:
        loop {
            let (sender, receiver) = oneshot::channel();
            sender.send(1).expect("a receiver");
            receiver.await.expect("sent");
        }
    a_promise_that_is_always_kept_yields:
        loop {
            let (promise, result) = Promise::new();
            promise.set_result(1).expect("awaited");
            result.await.expect("kept");
        }
    a_value_that_always_changes_yields:
        let (sender, mut receiver) = watch::channel(0);
        loop {
            sender.send_modify(|value| *value += 1);
            receiver.changed().await.expect("a sender");
        }
    a_condition_that_is_always_met_yields:
        let (_sender, mut receiver) = watch::channel(0);
        loop { assert!(receiver.wait_for(|_| true).await.is_ok()); }
    a_broadcast_that_is_never_empty_yields:
        let (sender, mut receiver) = broadcast::channel(1);
        loop {
            sender.send(1).expect("a receiver");
            receiver.recv().await.expect("an item");
        }
    a_queue_that_is_never_empty_yields:
        let queue = Queue::bounded(1);
        loop {
            queue.put(1).await.expect("open");
            queue.get().await.expect("an item");
            queue.task_done();
        }
    a_queue_whose_work_is_always_done_yields:
        let queue = Queue::<u32>::bounded(1);
        loop { queue.join().await; }
    a_notification_that_is_always_there_yields:
        let notify = Notify::new();
        loop {
            notify.notify_one();
            notify.notified().await;
        }
    an_event_that_is_always_set_yields:
        let event = Event::new();
        let () = event.set();
        loop { event.wait().await; }
    a_barrier_for_one_yields:
        let barrier = Barrier::new(1);
        loop { barrier.wait().await; }
    a_token_that_is_cancelled_yields:
        let token = CancellationToken::new();
        let () = token.cancel();
        loop { token.cancelled().await; }
}

#[test]
fn what_yields_for_others_loses_nothing() {
    within("a long run in one task", || {
        gristmill::run(async {
            let (sender, mut receiver) = mpsc::channel(1_000);
            for n in 0..1_000 {
                sender.send(n).await.expect("a receiver");
            }
            drop(sender);
            let mut next = 0;
            while let Some(item) = receiver.recv().await {
                assert_eq!(item, next);
                next += 1;
            }
            assert_eq!(next, 1_000);
        });
    });
}

#[test]
fn an_unconstrained_task_may_go_on() {
    let runtime = Flavour::CurrentThread.runtime();
    runtime.block_on(async {
        let mutex = Mutex::new(0);
        let mut many = ByHand::new(unconstrained(async {
            for _ in 0..10_000 {
                *mutex.lock().await += 1;
            }
        }));
        many.now();
        assert_eq!(*mutex.lock().await, 10_000);
    });
}

#[test]
fn without_a_runtime_there_is_no_limit() {
    let mutex = Mutex::new(0);
    now(async {
        for _ in 0..10_000 {
            *mutex.lock().await += 1;
        }
    });
    assert_eq!(mutex.into_inner(), 10_000);
}
