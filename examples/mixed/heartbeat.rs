//! The heartbeat: how long a small request takes while everything else goes on.
//!
//! Every way measures it alike: a beat is due each millisecond after the first; the client, on a
//! connection of its own, waits until it is due, sends 64 bytes, and reads them back from an echo
//! service. A beat that is due while the one before is still under way is left out. Two times are
//! kept: the *round trip*, from before the write to after the read, and how *late* the beat was
//! sent after it was due. The second one shows what the first one cannot: a client that does not
//! get to run makes no slow round trips.
//!
//! Both ends are what the way makes of them. In the way of the runtime they are two tasks among
//! the others. In the other two ways they are two threads of the process that runs the way, below,
//! and the operating system has to find time for them. In the way of processes that process only
//! hands out the work, as a supervisor that answers for its workers would; a service inside of a
//! worker, which does one thing after the other, would have to wait for whole files.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::failure::{Context, Failure};
use crate::protocol::PATIENCE;

/// Time between beats.
pub(crate) const PACE: Duration = Duration::from_millis(1);
/// Bytes of a beat.
pub(crate) const PAYLOAD: usize = 64;

/// What a client keeps of its beats.
pub(crate) struct Beats {
    /// When the beat is due that comes next.
    due: Instant,
    /// The round trips so far, in nanoseconds.
    round_trips: Vec<u64>,
    /// How late each of them began, in nanoseconds.
    late: Vec<u64>,
}

impl Beats {
    /// None so far; the first one is due at once.
    pub(crate) fn new() -> Self {
        Self {
            due: Instant::now(),
            round_trips: Vec::new(),
            late: Vec::new(),
        }
    }

    /// When the next beat is due.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Enters a beat that was just answered.
    pub(crate) fn enter(&mut self, sent: Instant) {
        let now = Instant::now();
        self.round_trips.push(nanos(now - sent));
        self.late
            .push(nanos(sent.saturating_duration_since(self.due)));
        self.due += PACE;
        while self.due < now {
            self.due += PACE;
        }
    }

    /// The figures of all beats.
    pub(crate) fn figures(mut self) -> Figures {
        self.round_trips.sort_unstable();
        self.late.sort_unstable();
        Figures {
            beats: self.round_trips.len(),
            p50_us: micros(rank(&self.round_trips, 0.5)),
            p99_us: micros(rank(&self.round_trips, 0.99)),
            max_us: micros(rank(&self.round_trips, 1.0)),
            late_p99_us: micros(rank(&self.late, 0.99)),
        }
    }
}

/// The heartbeat of one way; times in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// How many beats were answered.
    pub(crate) beats: usize,
    /// Half of the round trips took at most this long.
    pub(crate) p50_us: f64,
    /// All but one of a hundred round trips took at most this long.
    pub(crate) p99_us: f64,
    /// The longest round trip.
    pub(crate) max_us: f64,
    /// All but one of a hundred beats were sent at most this long after they were due.
    pub(crate) late_p99_us: f64,
}

/// The value below which (or at which) this share of the sorted values lies; 0 of none.
fn rank(sorted: &[u64], share: f64) -> u64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1000.0
}

/// A heartbeat between two threads.
pub(crate) struct Heartbeat {
    /// Tells the client that its next beat is the last one.
    stop: Arc<AtomicBool>,
    client: JoinHandle<io::Result<Beats>>,
}

impl Heartbeat {
    /// Starts the echo service and its client.
    pub(crate) fn start() -> Result<Self, Failure> {
        let start = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let client = TcpStream::connect(listener.local_addr()?)?;
            let (server, _) = listener.accept()?;
            for end in [&client, &server] {
                end.set_nodelay(true)?;
                end.set_read_timeout(Some(PATIENCE))?;
                end.set_write_timeout(Some(PATIENCE))?;
            }
            let stop = Arc::new(AtomicBool::new(false));
            let until = Arc::clone(&stop);
            thread::Builder::new()
                .name("echo".to_owned())
                .spawn(|| echo(server))?;
            let client = thread::Builder::new()
                .name("heartbeat".to_owned())
                .spawn(move || beat(client, &until))?;
            io::Result::Ok(Self { stop, client })
        };
        start().context("cannot start the heartbeat")
    }

    /// Ends both threads and gives the figures.
    pub(crate) fn stop(self) -> Result<Figures, Failure> {
        // ORDERING: Relaxed. The flag says that there is something to stop, and nothing else.
        self.stop.store(true, Ordering::Relaxed);
        match self.client.join() {
            Ok(beats) => Ok(beats.context("heartbeat")?.figures()),
            Err(_) => Err(Failure::Run("the heartbeat panicked".to_owned())),
        }
    }
}

/// Sends back what comes, until the client is gone.
fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut payload = [0; PAYLOAD];
    loop {
        stream.read_exact(&mut payload)?;
        stream.write_all(&payload)?;
    }
}

/// Beats until it is told to stop.
fn beat(mut stream: TcpStream, stop: &AtomicBool) -> io::Result<Beats> {
    let mut beats = Beats::new();
    let mut payload = [0; PAYLOAD];
    // ORDERING: Relaxed, see `Heartbeat::stop`.
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(beats.due().saturating_duration_since(Instant::now()));
        let sent = Instant::now();
        stream.write_all(&payload)?;
        stream.read_exact(&mut payload)?;
        beats.enter(sent);
    }
    Ok(beats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_is_the_smallest_value_that_covers_its_share() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(
            [0.5, 0.99, 1.0].map(|share| rank(&hundred, share)),
            [50, 99, 100]
        );
        assert_eq!([0.5, 0.99, 1.0].map(|share| rank(&[7], share)), [7, 7, 7]);
        assert_eq!(rank(&[], 0.5), 0);
    }

    #[test]
    fn beats_that_were_missed_are_left_out() {
        let mut beats = Beats::new();
        let start = beats.due();
        // As if the client had not run for half a second.
        beats.due = start
            .checked_sub(PACE * 500)
            .expect("the clock is older than that");
        let sent = Instant::now();
        beats.enter(sent);
        assert!(beats.due() >= sent && beats.due() <= Instant::now() + PACE);
        assert!(beats.figures().late_p99_us >= 500_000.0);
    }
}
