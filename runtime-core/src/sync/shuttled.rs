//! The door's third side: everything goes through `shuttle`, which runs the whole runtime on one thread of the system and
//! chooses at each access who goes on.
//!
//! It takes every access for a sequentially consistent one; weaker orders are `loom`'s business. Time is `runtime-timer`'s
//! modelled clock: it goes a little with each look at it, and who sleeps until a deadline looks at it until it is there. Threads are
//! refused as its modelled faults say.

pub(crate) use super::plain_queues as deque;
pub(crate) use runtime_timer::modelled_clock::now;
pub(crate) use shuttle::hint::spin_loop;
pub(crate) use shuttle::sync::atomic;
pub(crate) use shuttle::thread_local;

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::Instant;

/// `shuttle`'s lock with `parking_lot`'s face.
#[derive(Debug)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

/// The guard; it is without its lock only while a [`Condvar`] waits.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    lock: &'a Mutex<T>,
    held: Option<shuttle::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        MutexGuard {
            lock: self,
            held: Some(held),
        }
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let held = self.0.try_lock().ok()?;
        Some(MutexGuard {
            lock: self,
            held: Some(held),
        })
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("a guard in use holds its lock")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("a guard in use holds its lock")
    }
}

/// `shuttle`'s condition variable with `parking_lot`'s face.
#[derive(Debug)]
pub(crate) struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        if let Some(held) = guard.held.take() {
            guard.held = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// A wait with a deadline: one without a reason, after which the caller looks at the clock. Others go on meanwhile.
    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) {
        guard.held = None;
        runtime_timer::modelled_clock::rest_until(deadline);
        *guard = guard.lock.lock();
    }
}

/// `shuttle`'s cell is `std`'s with the face of the model checker's.
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// What `std`'s key offers for cells.
pub(crate) trait CellKey<T> {
    fn get(&'static self) -> T
    where
        T: Copy;
    fn set(&'static self, value: T);
    fn replace(&'static self, value: T) -> T;
}

impl<T: 'static> CellKey<T> for shuttle::thread::LocalKey<Cell<T>> {
    fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

/// What `std`'s key offers for places that are borrowed.
pub(crate) trait RefKey<T> {
    fn set(&'static self, value: T);
}

impl<T: 'static> RefKey<T> for shuttle::thread::LocalKey<RefCell<T>> {
    fn set(&'static self, value: T) {
        self.with(|cell| drop(cell.replace(value)));
    }
}

/// Threads, with what `shuttle`'s lack.
pub(crate) mod thread {
    use super::atomic::{AtomicBool, Ordering};
    use super::now;
    use runtime_timer::modelled_clock;
    use runtime_timer::modelled_faults::{self, Fault};
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    pub(crate) use shuttle::thread::{Thread, current, yield_now};

    /// Lets others go on until so much time has passed.
    pub(crate) fn sleep(time: Duration) {
        let deadline = now() + time;
        while now() < deadline {
            modelled_clock::rest_until(deadline);
        }
    }

    /// A thread that can be asked whether it is at its end.
    pub(crate) struct JoinHandle<T> {
        thread: shuttle::thread::JoinHandle<T>,
        finished: Arc<AtomicBool>,
    }

    impl<T> JoinHandle<T> {
        pub(crate) fn is_finished(&self) -> bool {
            // ORDERING: SeqCst; here there is no other.
            self.finished.load(Ordering::SeqCst)
        }

        pub(crate) fn thread(&self) -> &shuttle::thread::Thread {
            self.thread.thread()
        }

        pub(crate) fn join(self) -> shuttle::thread::Result<T> {
            self.thread.join()
        }
    }

    /// Makes threads. The size of their stacks is `shuttle`'s.
    pub(crate) struct Builder(shuttle::thread::Builder);

    impl Builder {
        pub(crate) fn new() -> Self {
            Self(shuttle::thread::Builder::new())
        }

        pub(crate) fn name(self, name: String) -> Self {
            Self(self.0.name(name))
        }

        pub(crate) fn stack_size(self, _bytes: usize) -> Self {
            self
        }

        pub(crate) fn spawn<T: Send + 'static>(
            self,
            body: impl FnOnce() -> T + Send + 'static,
        ) -> io::Result<JoinHandle<T>> {
            modelled_faults::pass(Fault::NoThread)?;
            let finished = Arc::new(AtomicBool::new(false));
            let mark = Arc::clone(&finished);
            let thread = self.0.spawn(move || {
                let outcome = body();
                // ORDERING: SeqCst; here there is no other.
                mark.store(true, Ordering::SeqCst);
                outcome
            })?;
            Ok(JoinHandle { thread, finished })
        }
    }
}
