//! What the types of `sync` are: to be sent and shared where their data may be, to be printed, and errors where they say so; and
//! that no waker is called with a lock held.

mod common;

use common::{silence_panics, within};
use gristmill::sync::*;
use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}
fn is_debug<T: Debug>() {}
fn is_error<T: Error + Send + Sync + 'static>() {}
fn is_unpin<T: Unpin>() {}

/// Something that may change threads but not be shared.
type OnlySend = std::cell::Cell<u32>;

#[test]
fn what_holds_data_may_be_sent_and_shared_where_the_data_may() {
    macro_rules! check {
        ($($check:ident: $($kind:ty),*;)*) => { $($($check::<$kind>();)*)* };
    }
    check! {
        is_send: Mutex<OnlySend>, MutexGuard<'_, u32>, OwnedMutexGuard<OnlySend>, RwLock<OnlySend>, RwLockReadGuard<'_, u32>,
            OwnedRwLockReadGuard<u32>, RwLockWriteGuard<'_, u32>, OwnedRwLockWriteGuard<u32>, OnceCell<OnlySend>,
            Semaphore, SemaphorePermit<'_>, OwnedSemaphorePermit, Notify, Notified<'_>, OwnedNotified, Event, EventWait<'_>, Condvar,
            Barrier, BarrierWait<'_>, CancellationToken, DropGuard, WaitForCancellationFuture<'_>, WaitForCancellationFutureOwned;
        is_send: Queue<OnlySend>, LifoQueue<OnlySend>, PriorityQueue<u32>, Promise<OnlySend>, Promised<OnlySend>,
            oneshot::Sender<OnlySend>, oneshot::Receiver<OnlySend>, mpsc::Sender<OnlySend>, mpsc::Receiver<OnlySend>,
            mpsc::UnboundedSender<OnlySend>, mpsc::UnboundedReceiver<OnlySend>, mpsc::Permit<'_, OnlySend>, mpsc::OwnedPermit<OnlySend>,
            mpsc::WeakSender<OnlySend>, watch::Sender<u32>, watch::Receiver<u32>, broadcast::Sender<u32>, broadcast::Receiver<u32>;
        is_sync: Mutex<OnlySend>, MutexGuard<'_, u32>, RwLock<u32>, RwLockReadGuard<'_, u32>, OnceCell<u32>, Semaphore, Notify, Event,
            Condvar, Barrier, CancellationToken, Queue<OnlySend>, LifoQueue<OnlySend>, PriorityQueue<u32>, Promise<OnlySend>,
            Promised<OnlySend>;
        is_sync: oneshot::Sender<OnlySend>, oneshot::Receiver<OnlySend>, mpsc::Sender<OnlySend>, mpsc::UnboundedSender<OnlySend>,
            mpsc::WeakSender<OnlySend>, watch::Sender<u32>, watch::Receiver<u32>, broadcast::Sender<u32>, broadcast::Receiver<u32>;
        is_unpin: oneshot::Receiver<std::marker::PhantomPinned>, mpsc::Receiver<std::marker::PhantomPinned>,
            mpsc::UnboundedReceiver<std::marker::PhantomPinned>;
    }
}

#[test]
fn everything_can_be_printed_whatever_it_carries() {
    struct Silent;
    macro_rules! check {
        ($($kind:ty),* $(,)?) => { $(is_debug::<$kind>();)* };
    }
    check! {
        Mutex<u32>, MutexGuard<'_, u32>, OwnedMutexGuard<u32>, TryLockError, RwLock<u32>, RwLockReadGuard<'_, u32>,
        RwLockWriteGuard<'_, u32>, OwnedRwLockReadGuard<u32>, OwnedRwLockWriteGuard<u32>, OnceCell<u32>, Semaphore, SemaphorePermit<'_>,
        OwnedSemaphorePermit, Notify, Notified<'_>, OwnedNotified, Event, Condvar, Barrier, BarrierWaitResult, CancellationToken,
        DropGuard, Queue<Silent>, LifoQueue<Silent>, PriorityQueue<u32>, oneshot::Sender<Silent>, oneshot::Receiver<Silent>,
        mpsc::Sender<Silent>, mpsc::Receiver<Silent>, mpsc::UnboundedSender<Silent>, mpsc::UnboundedReceiver<Silent>,
        mpsc::WeakSender<Silent>, mpsc::Permit<'_, Silent>, mpsc::OwnedPermit<Silent>, mpsc::error::SendError<Silent>,
        mpsc::error::TrySendError<Silent>, QueueShutDown<Silent>, TryPutError<Silent>, watch::Sender<u32>, watch::Receiver<u32>,
        watch::error::SendError<Silent>, broadcast::Sender<Silent>, broadcast::Receiver<Silent>, broadcast::error::SendError<Silent>,
    }
    let printed = format!("{:?}", Queue::<u32>::bounded(3));
    assert!(printed.contains("bound: Some(3)"), "{printed}");
}

#[test]
fn what_is_called_an_error_is_one_and_says_something() {
    macro_rules! check {
        ($($kind:ty),* $(,)?) => { $(is_error::<$kind>();)* };
    }
    check! {
        AcquireError, TryAcquireError, TryLockError, SetError<u32>, PromiseError, QueueShutDown, QueueShutDown<u32>, TryPutError<u32>,
        TryGetError, oneshot::error::RecvError, oneshot::error::TryRecvError, mpsc::error::SendError<u32>, mpsc::error::TrySendError<u32>,
        mpsc::error::TryRecvError, watch::error::SendError<u32>, watch::error::RecvError, broadcast::error::SendError<u32>,
        broadcast::error::RecvError, broadcast::error::TryRecvError,
    }
    let told = mpsc::error::TrySendError::Full(1).to_string();
    assert!(told.contains("use send"), "{told}");
}

/// A waker that uses what woke it, which hangs if a lock is held.
struct Meddler<F>(F, AtomicUsize);

impl<F: Fn() + Send + Sync + 'static> Wake for Meddler<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls the future with a waker that calls `meddle`, then calls `wake`, which has to wake it.
fn wakes_without_a_lock<F: Future>(
    future: F,
    meddle: impl Fn() + Send + Sync + 'static,
    wake: impl FnOnce(),
) {
    let meddler = Arc::new(Meddler(meddle, AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&meddler));
    let mut future = pin!(future);
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(matches!(polled, Poll::Pending), "it has to wait");
    wake();
    assert_eq!(meddler.1.load(Ordering::SeqCst), 1);
}

#[test]
fn wakers_may_use_the_very_thing_that_wakes_them() {
    within("wakers without locks", || {
        let semaphore = Arc::new(Semaphore::new(0));
        let own = Arc::clone(&semaphore);
        let meddle = move || drop((own.try_acquire(), own.add_permits(1)));
        wakes_without_a_lock(semaphore.acquire(), meddle, || semaphore.add_permits(1));

        let notify = Arc::new(Notify::new());
        let own = Arc::clone(&notify);
        wakes_without_a_lock(
            notify.notified(),
            move || own.notify_one(),
            || notify.notify_waiters(),
        );

        let event = Arc::new(Event::new());
        let own = Arc::clone(&event);
        wakes_without_a_lock(event.wait(), move || own.clear(), || event.set());

        let token = CancellationToken::new();
        let own = token.clone();
        let meddle = move || assert!(own.child_token().is_cancelled());
        wakes_without_a_lock(token.cancelled(), meddle, || token.cancel());

        let (sender, mut receiver) = mpsc::unbounded_channel();
        let own = sender.clone();
        wakes_without_a_lock(
            receiver.recv(),
            move || own.send(2).expect("a receiver"),
            || {
                sender.send(1).expect("a receiver");
            },
        );

        let queue = Arc::new(Queue::unbounded());
        let own = Arc::clone(&queue);
        wakes_without_a_lock(
            queue.get(),
            move || own.try_put(2).expect("open"),
            || {
                queue.try_put(1).expect("open");
            },
        );

        let (sender, mut receiver) = watch::channel(0);
        let own = sender.clone();
        wakes_without_a_lock(
            receiver.changed(),
            move || drop(own.subscribe()),
            || {
                sender.send_replace(1);
            },
        );

        let (sender, mut receiver) = broadcast::channel(4);
        let own = sender.clone();
        wakes_without_a_lock(
            receiver.recv(),
            move || assert_eq!(own.send(2), Ok(1)),
            || {
                sender.send(1).expect("a receiver");
            },
        );
    });
}

#[test]
fn a_waker_that_panics_does_not_keep_the_others_asleep() {
    silence_panics();
    within("a panicking waker", || {
        let event = Event::new();
        let bad = Waker::from(Arc::new(Meddler(
            || panic!("expected by the test"),
            AtomicUsize::new(0),
        )));
        let mut first = pin!(event.wait());
        assert!(
            first
                .as_mut()
                .poll(&mut Context::from_waker(&bad))
                .is_pending()
        );
        let others: Vec<_> = (0..3)
            .map(|_| common::cut::ByHand::waiting(event.wait()))
            .collect();
        let set = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| event.set()));
        assert!(set.is_err());
        others.into_iter().for_each(common::cut::ByHand::woken);
    });
}
