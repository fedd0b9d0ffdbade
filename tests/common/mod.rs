//! What the tests share: a runtime of each flavour, bounded waits, probes that count drops, wakers that count wakes.
#![allow(
    dead_code,
    reason = "every test file is a program of its own and uses some of this"
)]

pub(crate) mod chaos;
pub(crate) mod cut;
pub(crate) mod ends;
pub(crate) mod room;
pub(crate) mod temp_dir;

use gristmill::runtime::{Builder, Runtime};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Longer than anything here can take, so that a lost wake-up fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Which runtime a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    FourWorkers,
    OneWorker,
    CurrentThread,
}

pub(crate) const FLAVOURS: [Flavour; 3] = [
    Flavour::FourWorkers,
    Flavour::OneWorker,
    Flavour::CurrentThread,
];

impl Flavour {
    pub(crate) fn builder(self) -> Builder {
        match self {
            Self::FourWorkers => Builder::new().worker_threads(4),
            Self::OneWorker => Builder::new().worker_threads(1),
            Self::CurrentThread => Builder::new_current_thread(),
        }
    }

    pub(crate) fn runtime(self) -> Runtime {
        self.builder().build().expect("a runtime")
    }
}

/// Runs the test on a runtime of each flavour, and fails if that does not end.
pub(crate) fn on_each(test: fn(&Runtime)) {
    for flavour in FLAVOURS {
        within(format!("{flavour:?}"), move || {
            let runtime = flavour.runtime();
            test(&runtime);
            drop(runtime);
        });
    }
}

/// As [`on_each`], for tests that are about the end of the runtime or need several.
pub(crate) fn with_each(test: fn(Flavour)) {
    for flavour in FLAVOURS {
        within(format!("{flavour:?}"), move || test(flavour));
    }
}

/// Runs the body on a thread of its own, and fails if it does not end.
pub(crate) fn within<R: Send + 'static>(
    what: impl std::fmt::Display,
    body: impl FnOnce() -> R + Send + 'static,
) -> R {
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(body));
        let _ = done.send(());
        result
    });
    if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        panic!("{what}: nothing for {PATIENCE:?}, something was lost");
    }
    match thread.join().expect("panics were caught") {
        Ok(result) => result,
        Err(payload) => {
            eprintln!("failed: {what}");
            resume_unwind(payload)
        }
    }
}

/// Looks again and again, yielding the thread, until the condition holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

/// A count that clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Something that counts when it is dropped.
    pub(crate) fn on_drop(&self) -> Probe {
        Probe(self.clone())
    }
}

/// Counts its drop.
#[derive(Debug)]
pub(crate) struct Probe(Count);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// Calls a closure when it is dropped.
pub(crate) struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    pub(crate) fn new(f: F) -> Self {
        Self(Some(f))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

/// A waker that counts how often it was woken.
#[derive(Default)]
pub(crate) struct CountingWaker(AtomicUsize);

impl CountingWaker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Polls once with this waker.
    pub(crate) fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(self));
        Pin::new(future).poll(&mut Context::from_waker(&waker))
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Gives the waker of the task that awaits it to the channel, and stays pending for ever.
pub(crate) async fn give_waker(to: mpsc::Sender<Waker>) {
    std::future::poll_fn(|cx| {
        let _ = to.send(cx.waker().clone());
        Poll::<()>::Pending
    })
    .await;
}

/// Runs the body in a process of its own: this program once more, with this test alone.
#[track_caller]
pub(crate) fn in_own_process(test: &str, body: impl FnOnce()) {
    const INSIDE: &str = "GRISTMILL_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        body();
        return;
    }
    let own = std::env::current_exe().expect("a path");
    let output = std::process::Command::new(own)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, test)
        .output()
        .expect("started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// How many threads of this process have names that begin so; Linux keeps 15 bytes of a name.
#[cfg(target_os = "linux")]
pub(crate) fn threads_named(prefix: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("mounted");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with(prefix))
        .count()
}

/// Keeps the panics that a test provokes off the terminal; their texts begin with "expected".
pub(crate) fn silence_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload_as_str();
            if text.is_some_and(|text| !text.starts_with("expected")) {
                report(info);
            }
        }));
    });
}

/// The text of a panic.
pub(crate) fn panic_text(body: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(body)).expect_err("it panics");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&'static str>().expect("a text")).to_owned(),
    }
}

/// A runtime with one worker, and one thread for blocking calls.
pub(crate) fn one_blocking_thread() -> Runtime {
    let builder = Flavour::OneWorker.builder().max_blocking_threads(1);
    builder.build().expect("a runtime")
}

/// Keeps the only thread of a runtime's blocking pool busy until it is dropped; the runtime must have one such thread at most.
pub(crate) struct Occupied(
    #[expect(dead_code, reason = "its drop is the signal")] mpsc::Sender<()>,
);

impl Occupied {
    pub(crate) fn new(runtime: &gristmill::runtime::Handle) -> Self {
        let (release, released) = mpsc::channel();
        let (entered, enter) = mpsc::channel();
        drop(runtime.spawn_blocking(move || {
            entered.send(()).expect("a receiver");
            let _ = released.recv();
        }));
        enter.recv_timeout(PATIENCE).expect("it starts");
        Self(release)
    }
}

/// Tasks that meet at a barrier run at the same time, so on as many threads.
pub(crate) fn meet(
    runtime: &Runtime,
    tasks: usize,
) -> std::collections::HashSet<std::thread::ThreadId> {
    runtime
        .block_on(runtime.spawn(async move {
            let barrier = Arc::new(std::sync::Barrier::new(tasks));
            let members: Vec<_> = (0..tasks)
                .map(|_| {
                    let barrier = Arc::clone(&barrier);
                    gristmill::spawn(async move {
                        barrier.wait();
                        std::thread::current().id()
                    })
                })
                .collect();
            let mut threads = std::collections::HashSet::new();
            for member in members {
                threads.insert(member.await.expect("no panic"));
            }
            threads
        }))
        .expect("no panic")
}

/// A task that blocks its thread until the sender is dropped; on the channel it says that it does.
pub(crate) fn blocker(
    entered: &mpsc::Sender<()>,
) -> (mpsc::Sender<()>, impl Future<Output = ()> + use<>) {
    let (release, released) = mpsc::channel::<()>();
    let entered = entered.clone();
    let body = async move {
        entered.send(()).expect("a receiver");
        let _ = released.recv();
    };
    (release, body)
}
