//! The crate's one door to threads, locks, atomics and the job queue: the real ones, or those that loom models.
//!
//! Everything that takes part in the protocol between pool threads comes through here, so that the model checker sees
//! the same code that runs in production. It cannot see into crossbeam, hence the second, plain queue. Under loom a bounded wait
//! never times out; under shuttle the time is a number that grows by leaps, and threads may be refused.

#[cfg(not(any(gristmill_loom, gristmill_shuttle)))]
mod real {
    use crossbeam_channel::{Receiver, Sender, unbounded};

    use std::any::Any;
    use std::cell::RefCell;

    pub(crate) use parking_lot::{Condvar, Mutex};
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};
    pub(crate) use std::thread;

    thread_local! {
        /// What [`keep_to_the_end`] keeps.
        static KEPT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    }

    /// Drops the value when the calling thread ends, after everything that the thread keeps in places of its own: such places
    /// are emptied in the reverse order of their first use, so this has to be the first call on a thread.
    pub(crate) fn keep_to_the_end(value: impl Any) -> Kept {
        KEPT.set(Some(Box::new(value)));
        Kept
    }

    /// Says that a value is kept.
    pub(crate) struct Kept;

    use std::time::Instant;

    /// The system's monotonic clock.
    #[inline(always)]
    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    /// An unbounded first-in first-out queue that any thread may push to and pop from.
    ///
    /// `push`, `pop` and `is_empty` act on indices that are accessed with SeqCst, so that after a SeqCst fence
    /// `is_empty` sees every push that precedes the fence.
    #[derive(Debug)]
    pub(crate) struct Queue<T> {
        /// The end that `push` uses.
        back: Sender<T>,
        /// The end that `pop` uses; as both ends live in here, neither ever sees the other gone.
        front: Receiver<T>,
    }

    impl<T> Queue<T> {
        pub(crate) fn new() -> Self {
            let (back, front) = unbounded();
            Self { back, front }
        }

        pub(crate) fn push(&self, value: T) {
            if self.back.send(value).is_err() {
                unreachable!("a queue owns both of its ends");
            }
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.front.try_recv().ok()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.front.is_empty()
        }

        pub(crate) fn len(&self) -> usize {
            self.front.len()
        }
    }
}

#[cfg(any(gristmill_loom, gristmill_shuttle))]
mod modelled {
    #[cfg(gristmill_loom)]
    use loom as checker;
    #[cfg(gristmill_shuttle)]
    use shuttle as checker;
    use std::collections::VecDeque;
    use std::ops::{Deref, DerefMut};
    use std::sync::PoisonError;
    use std::time::Instant;

    pub(crate) use checker::sync::atomic::{AtomicU64, Ordering, fence};
    #[cfg(gristmill_loom)]
    pub(crate) use checker::thread;

    /// A model has no clock; what asks for the time is no part of one.
    #[cfg(gristmill_loom)]
    pub(crate) fn now() -> Instant {
        Instant::now()
    }

    #[cfg(gristmill_shuttle)]
    pub(crate) use runtime_timer::modelled_clock::now;

    /// Threads, which may be refused.
    #[cfg(gristmill_shuttle)]
    pub(crate) mod thread {
        use runtime_timer::modelled_faults::{self, Fault};
        use std::io;

        pub(crate) use shuttle::thread::{JoinHandle, current, yield_now};

        /// `shuttle`'s, behind the modelled faults.
        pub(crate) struct Builder(shuttle::thread::Builder);

        impl Builder {
            pub(crate) fn new() -> Self {
                Self(shuttle::thread::Builder::new())
            }

            pub(crate) fn name(self, name: String) -> Self {
                Self(self.0.name(name))
            }

            pub(crate) fn stack_size(self, bytes: usize) -> Self {
                Self(self.0.stack_size(bytes))
            }

            pub(crate) fn spawn<T: Send + 'static>(
                self,
                body: impl FnOnce() -> T + Send + 'static,
            ) -> io::Result<JoinHandle<T>> {
                modelled_faults::pass(Fault::NoThread)?;
                self.0.spawn(body)
            }
        }
    }

    /// The value itself, for the calling thread to drop at its end: loom's threads share the real thread's places.
    pub(crate) fn keep_to_the_end<T>(value: T) -> T {
        value
    }

    /// Nothing: loom's own yields to the other threads, which would hide the races of a thread that ends its search.
    pub(crate) fn spin_loop() {}

    /// The checker's mutex with the face of parking_lot's, which no panic poisons.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(checker::sync::Mutex<T>);

    /// What `lock` gives. Without its lock only while a condition variable has it.
    pub(crate) struct MutexGuard<'a, T> {
        lock: &'a Mutex<T>,
        held: Option<checker::sync::MutexGuard<'a, T>>,
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(checker::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard {
                lock: self,
                held: Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)),
            }
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.held.as_ref().expect("the lock is held")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.held.as_mut().expect("the lock is held")
        }
    }

    /// The checker's condition variable with the face of parking_lot's.
    #[derive(Debug)]
    pub(crate) struct Condvar(checker::sync::Condvar);

    /// How a bounded wait ended.
    pub(crate) struct WaitTimeoutResult(bool);

    impl WaitTimeoutResult {
        pub(crate) fn timed_out(&self) -> bool {
            self.0
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self(checker::sync::Condvar::new())
        }

        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            let held = guard.held.take().expect("the lock is held");
            guard.held = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
        }

        /// `loom` has no clock: there a wait does not time out.
        #[cfg(gristmill_loom)]
        pub(crate) fn wait_until<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            _deadline: Instant,
        ) -> WaitTimeoutResult {
            let _ = guard.lock;
            self.wait(guard);
            WaitTimeoutResult(false)
        }

        /// Others go on, and time passes; then the caller looks again.
        #[cfg(gristmill_shuttle)]
        pub(crate) fn wait_until<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            deadline: Instant,
        ) -> WaitTimeoutResult {
            guard.held = None;
            runtime_timer::modelled_clock::rest_until(deadline);
            *guard = guard.lock.lock();
            WaitTimeoutResult(now() >= deadline)
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }

    /// A plain queue that the model checker can see into.
    #[derive(Debug)]
    pub(crate) struct Queue<T>(Mutex<VecDeque<T>>);

    impl<T> Queue<T> {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(VecDeque::new()))
        }

        pub(crate) fn push(&self, value: T) {
            self.0.lock().push_back(value);
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.0.lock().pop_front()
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.lock().is_empty()
        }

        pub(crate) fn len(&self) -> usize {
            self.0.lock().len()
        }
    }
}

#[cfg(any(gristmill_loom, gristmill_shuttle))]
pub(crate) use modelled::*;
#[cfg(not(any(gristmill_loom, gristmill_shuttle)))]
pub(crate) use real::*;
