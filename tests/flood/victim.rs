//! What has to get its turn in a flood: it waits for something, which a poll of the flood makes come.

use super::meter::{Meter, Release};
use gristmill::io::AsyncReadExt;
use gristmill::runtime::Handle;
use gristmill::sync::oneshot;
use gristmill::task;
use gristmill::time::{Duration, Instant, sleep_until};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

/// How it becomes runnable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The flood spawns it.
    SpawnedHere,
    /// A thread that is no worker spawns it.
    SpawnedElsewhere,
    /// The flood wakes it.
    WokenHere,
    /// A thread that is no worker wakes it.
    WokenElsewhere,
    /// Its timer is due.
    Timer,
    /// Its socket has something to read.
    Socket,
    /// Its blocking job is done.
    Job,
    /// The flood spawns it, and goes on with that poll until the victim was polled.
    BehindPoll,
    /// The same, in `block_in_place`.
    BehindInPlace,
}

pub(crate) const WAYS: [Way; 9] = [
    Way::SpawnedHere,
    Way::SpawnedElsewhere,
    Way::WokenHere,
    Way::WokenElsewhere,
    Way::Timer,
    Way::Socket,
    Way::Job,
    Way::BehindPoll,
    Way::BehindInPlace,
];

/// Whether the flood's poll goes on until somebody has noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Somebody else has to, then: the worker is in that poll.
    BySomebodyElse,
    /// The worker looks by itself.
    ByTheWorker,
}

/// After so many polls nothing of a flood is where it was put at first.
const SETTLED: usize = 2_000;

type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Way {
    /// Whether the victim waits for something before it is made runnable, and so can be a future of any kind.
    pub(crate) fn waits(self) -> bool {
        !self.is_behind() && !matches!(self, Self::SpawnedHere | Self::SpawnedElsewhere)
    }

    /// Whether the victim is behind a worker that waits for it.
    pub(crate) fn is_behind(self) -> bool {
        matches!(self, Self::BehindPoll | Self::BehindInPlace)
    }

    /// Whether it is the flood's own poll that makes it runnable.
    pub(crate) fn is_local(self) -> bool {
        matches!(self, Self::SpawnedHere | Self::WokenHere)
    }

    /// What waits; it arms the meter with its release when it does so.
    pub(crate) fn victim(self, meter: &Arc<Meter>, notice: Notice) -> Victim {
        let (body, release) = match self {
            Self::WokenHere | Self::WokenElsewhere => self.woken(),
            Self::Timer => timer(notice),
            Self::Socket => socket(notice),
            Self::Job => job(),
            _ => unreachable!("it does not wait"),
        };
        Victim {
            body,
            meter: Arc::clone(meter),
            release: Some(release),
        }
    }

    fn woken(self) -> (Body, Release) {
        let (sender, receiver) = oneshot::channel();
        let body = Box::pin(async move { receiver.await.expect("a sender") });
        let wake = move || sender.send(()).expect("a receiver");
        let release: Release = if self == Self::WokenHere {
            Box::new(move |_| wake())
        } else {
            Box::new(move |_| thread::spawn(wake).join().expect("no panic"))
        };
        (body, release)
    }

    /// Spawns a victim in the next poll of the flood.
    pub(crate) fn spawn_in_flood(self, meter: &Arc<Meter>, handle: &Handle) {
        let (seen, handle) = (Arc::clone(meter), handle.clone());
        let spawn = move || drop(handle.spawn(async move { seen.set_polled() }));
        let release: Release = Box::new(move |meter| {
            if self == Self::SpawnedElsewhere {
                thread::spawn(spawn).join().expect("no panic");
            } else {
                spawn();
            }
            match self {
                // Others go on from here.
                Self::BehindInPlace => task::block_in_place(|| {
                    meter.set_runnable();
                    meter.wait_until_polled();
                }),
                Self::BehindPoll => {
                    meter.set_runnable();
                    meter.wait_until_polled();
                }
                _ => meter.set_runnable(),
            }
        });
        meter.arm_after(SETTLED, release);
    }
}

fn timer(notice: Notice) -> (Body, Release) {
    let due = Instant::now() + Duration::from_millis(2);
    let release: Release = Box::new(move |meter| {
        // Time has to pass.
        while Instant::now() < due {
            thread::yield_now();
        }
        meter.set_ready();
        if notice == Notice::BySomebodyElse {
            meter.wait_until_runnable();
        }
    });
    (Box::pin(sleep_until(due)), release)
}

fn socket(notice: Notice) -> (Body, Release) {
    let (mut ours, theirs) = UnixStream::pair().expect("a pair");
    let release: Release = Box::new(move |meter| {
        ours.write_all(&[7]).expect("room");
        meter.set_ready();
        if notice == Notice::BySomebodyElse {
            meter.wait_until_runnable();
        }
    });
    let body = async move {
        theirs.set_nonblocking(true).expect("a socket");
        let theirs = gristmill::net::UnixStream::from_std(theirs);
        let mut theirs = theirs.expect("it is registered");
        theirs.read_exact(&mut [0]).await.expect("a byte");
    };
    (Box::pin(body), release)
}

fn job() -> (Body, Release) {
    let (go, wait) = mpsc::channel();
    let release: Release = Box::new(move |meter| {
        go.send(()).expect("the job waits");
        meter.wait_until_runnable();
    });
    let body = async move {
        let job = gristmill::spawn_blocking(move || wait.recv().expect("a sender"));
        job.await.expect("no panic");
    };
    (Box::pin(body), release)
}

/// A future that tells the meter when it is woken and when it has got what it waited for.
pub(crate) struct Victim {
    body: Body,
    meter: Arc<Meter>,
    release: Option<Release>,
}

impl Future for Victim {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = Waker::from(Arc::new(Telling {
            waker: cx.waker().clone(),
            meter: Arc::clone(&self.meter),
        }));
        // A wake-up from here on is for the next poll.
        let runnable = self.meter.take_runnable();
        let poll = self.body.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_ready() {
            self.meter.keep_runnable(runnable);
            self.meter.set_polled();
        } else if let Some(release) = self.release.take() {
            self.meter.arm(release);
        }
        poll
    }
}

/// A waker that tells the meter.
struct Telling {
    waker: Waker,
    meter: Arc<Meter>,
}

impl Wake for Telling {
    fn wake(self: Arc<Self>) {
        self.waker.wake_by_ref();
        self.meter.set_runnable();
    }
}
