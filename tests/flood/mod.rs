//! Floods: tasks that keep a worker busy without an end, one of whose polls makes a victim runnable.
//!
//! * [`meter`] — counts the polls of a flood; [`victim`] — what has to get its turn all the same

pub(crate) mod meter;
pub(crate) mod victim;

use gristmill::io::AsyncReadExt;
use gristmill::runtime::Runtime;
use gristmill::task::{self, JoinHandle};
use gristmill::time::{Duration, sleep};
use meter::Meter;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What keeps the worker busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flood {
    /// A task that is always ready.
    OneYields,
    /// Many of them.
    ManyYield,
    /// Two tasks that wake each other, through the LIFO slot.
    PingPong,
    /// A task that spawns several in each of its polls.
    Spawns,
    /// Tasks that each spawn the next.
    Chain,
    /// Another thread spawns, and a task is always ready.
    SpawnsElsewhere,
    /// Tasks whose timers are always due, and one that is always ready.
    Timers,
    /// A socket that has always something to read, byte by byte, and a task that is always ready.
    Socket,
    /// A task that calls `block_in_place` in each of its polls.
    InPlace,
    /// The future of `block_on` is always ready.
    Root,
}

pub(crate) const FLOODS: [Flood; 10] = [
    Flood::OneYields,
    Flood::ManyYield,
    Flood::PingPong,
    Flood::Spawns,
    Flood::Chain,
    Flood::SpawnsElsewhere,
    Flood::Timers,
    Flood::Socket,
    Flood::InPlace,
    Flood::Root,
];

const MANY: usize = 100;
const SPAWNS: usize = 8;
const IN_FLIGHT: usize = 20;
const TIMERS: usize = 50;

impl Flood {
    /// How many tasks of it can be runnable at a time.
    pub(crate) fn tasks(self) -> usize {
        match self {
            Self::OneYields | Self::Chain | Self::InPlace | Self::Root => 1,
            Self::ManyYield => MANY,
            Self::PingPong | Self::Socket => 2,
            Self::Spawns => SPAWNS + 1,
            Self::SpawnsElsewhere => IN_FLIGHT + 1,
            Self::Timers => TIMERS + 1,
        }
    }

    /// How many of them can be in the shared queue at a time: what other threads spawn, and what the reactor thread wakes.
    pub(crate) fn injected(self) -> usize {
        match self {
            Self::SpawnsElsewhere => IN_FLIGHT,
            Self::Timers => TIMERS,
            Self::Socket => 1,
            _ => 0,
        }
    }

    /// Whether its tasks wake or spawn each other, so that they come into the LIFO slot.
    pub(crate) fn uses_slot(self) -> bool {
        matches!(self, Self::PingPong | Self::Spawns | Self::Chain)
    }

    /// Starts it; for [`Root`](Self::Root) that is up to whoever blocks.
    pub(crate) fn start(self, runtime: &Runtime, meter: &Arc<Meter>) -> Running {
        let mut running = Running::default();
        match self {
            Self::OneYields => running.yields(runtime, meter, 1),
            Self::ManyYield => running.yields(runtime, meter, MANY),
            Self::PingPong => running.ping_pong(runtime, meter),
            Self::Spawns => running.task(runtime, meter, spawns(Arc::clone(meter))),
            Self::Chain => running.task(runtime, meter, chain(Arc::clone(meter))),
            Self::SpawnsElsewhere => running.spawns_elsewhere(runtime, meter),
            Self::Timers => {
                running.yields(runtime, meter, 1);
                for _ in 0..TIMERS {
                    let seen = Arc::clone(meter);
                    running.task(runtime, meter, async move {
                        while !seen.is_stopped() {
                            sleep(Duration::from_nanos(1)).await;
                        }
                    });
                }
            }
            Self::Socket => running.socket(runtime, meter),
            Self::InPlace => {
                let seen = Arc::clone(meter);
                running.task(runtime, meter, async move {
                    while !seen.is_stopped() {
                        task::block_in_place(|| ());
                        task::yield_now().await;
                    }
                });
            }
            Self::Root => {}
        }
        running
    }
}

/// A flood that was started; it ends when the meter stops it.
#[derive(Default)]
pub(crate) struct Running {
    tasks: Vec<JoinHandle<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    pub(crate) async fn end(self) {
        for task in self.tasks {
            task.await.expect("no panic");
        }
        if let Some(thread) = self.thread {
            thread.join().expect("no panic");
        }
    }

    fn task(
        &mut self,
        runtime: &Runtime,
        meter: &Arc<Meter>,
        body: impl Future<Output = ()> + Send + 'static,
    ) {
        self.tasks.push(runtime.spawn(meter.count(body)));
    }

    fn yields(&mut self, runtime: &Runtime, meter: &Arc<Meter>, tasks: usize) {
        for _ in 0..tasks {
            self.task(runtime, meter, yields(Arc::clone(meter)));
        }
    }

    fn ping_pong(&mut self, runtime: &Runtime, meter: &Arc<Meter>) {
        let (ping, pong) = (async_channel::bounded(1), async_channel::bounded(1));
        ping.0.try_send(()).expect("room");
        for (from, to) in [(ping.1, pong.0), (pong.1, ping.0)] {
            let seen = Arc::clone(meter);
            self.task(runtime, meter, async move {
                while !seen.is_stopped() {
                    if from.recv().await.is_err() || to.send(()).await.is_err() {
                        break;
                    }
                }
            });
        }
    }

    fn spawns_elsewhere(&mut self, runtime: &Runtime, meter: &Arc<Meter>) {
        self.yields(runtime, meter, 1);
        let (handle, meter) = (runtime.handle().clone(), Arc::clone(meter));
        let in_flight = Arc::new(AtomicUsize::new(0));
        self.thread = Some(thread::spawn(move || {
            while !meter.is_stopped() {
                if in_flight.load(Ordering::SeqCst) == IN_FLIGHT {
                    thread::yield_now();
                    continue;
                }
                in_flight.fetch_add(1, Ordering::SeqCst);
                let landed = Arc::clone(&in_flight);
                drop(handle.spawn(meter.count(async move {
                    landed.fetch_sub(1, Ordering::SeqCst);
                })));
            }
        }));
    }

    fn socket(&mut self, runtime: &Runtime, meter: &Arc<Meter>) {
        self.yields(runtime, meter, 1);
        let (mut writer, reader) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let seen = Arc::clone(meter);
        self.task(runtime, meter, async move {
            reader.set_nonblocking(true).expect("a socket");
            let reader = gristmill::net::UnixStream::from_std(reader);
            let mut reader = reader.expect("it is registered");
            let mut byte = [0];
            while !seen.is_stopped() {
                reader.read_exact(&mut byte).await.expect("a byte");
            }
        });
        // Ends with the reader.
        self.thread = Some(thread::spawn(
            move || while writer.write_all(&[7]).is_ok() {},
        ));
    }
}

/// Is ready until the meter stops it.
pub(crate) async fn yields(meter: Arc<Meter>) {
    while !meter.is_stopped() {
        task::yield_now().await;
    }
}

async fn spawns(meter: Arc<Meter>) {
    while !meter.is_stopped() {
        for _ in 0..SPAWNS {
            drop(gristmill::spawn(meter.count(async {})));
        }
        task::yield_now().await;
    }
}

/// Spawns itself anew and ends. The first one's handle says nothing of the others; they end at the next poll.
fn chain(meter: Arc<Meter>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if !meter.is_stopped() {
            drop(gristmill::spawn(meter.count(chain(Arc::clone(&meter)))));
        }
    })
}
