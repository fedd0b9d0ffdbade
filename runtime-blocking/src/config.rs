//! How a pool is set up: names, sizes, hooks, limits, and their defaults.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A closure that a pool calls on each of its threads.
pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;

/// The most threads that a pool can count.
pub(crate) const MAX_THREADS: usize = 32_767;

/// The settings of a pool, to be handed to [`BlockingPool::new`](crate::BlockingPool::new) or
/// [`ComputePool::new`](crate::ComputePool::new).
///
/// | setting | [`blocking()`](Self::blocking) | [`compute()`](Self::compute) | limits |
/// |---|---|---|---|
/// | `thread_name` | `gristmill-blocking` | `gristmill-compute` | no NUL byte |
/// | `max_threads` | 512 | the processors that this process may use | 1 to 32,767 |
/// | `stack_size` | the standard library's (2 MiB) | the same | more than 0 |
/// | `keep_alive` | 10 s | none: threads stay | |
/// | `spin` | 20 µs | 20 µs | at most 10 ms |
/// | `low_priority` | no | yes | has an effect on Linux |
/// | `on_thread_start`, `on_thread_stop` | none | none | |
///
/// # Examples
///
/// ```
/// use gristmill::executor::{BlockingPool, PoolConfig};
/// use std::time::Duration;
///
/// let pool = BlockingPool::new(
///     PoolConfig::blocking().thread_name("files").max_threads(16).keep_alive(Some(Duration::from_secs(1))),
/// )?;
/// # drop(pool);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing until a pool is made of them"]
pub struct PoolConfig {
    pub(crate) thread_name: String,
    pub(crate) max_threads: usize,
    pub(crate) stack_size: Option<usize>,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) spin: Duration,
    pub(crate) low_priority: bool,
    pub(crate) on_thread_start: Option<Hook>,
    pub(crate) on_thread_stop: Option<Hook>,
}

impl PoolConfig {
    /// The defaults for blocking calls.
    pub fn blocking() -> Self {
        Self {
            thread_name: "gristmill-blocking".to_owned(),
            max_threads: 512,
            stack_size: None,
            keep_alive: Some(Duration::from_secs(10)),
            spin: Duration::from_micros(20),
            low_priority: false,
            on_thread_start: None,
            on_thread_stop: None,
        }
    }

    /// The defaults for computation.
    pub fn compute() -> Self {
        Self {
            thread_name: "gristmill-compute".to_owned(),
            max_threads: num_cpus::get().clamp(1, MAX_THREADS),
            keep_alive: None,
            low_priority: true,
            ..Self::blocking()
        }
    }

    /// Names the threads `<name>-0`, `<name>-1` and so on. Linux shows the first 15 bytes.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = name.into();
        self
    }

    /// Limits the threads that exist at once.
    pub fn max_threads(mut self, threads: usize) -> Self {
        self.max_threads = threads;
        self
    }

    /// Sets the stack size of each thread, in bytes; `None` leaves it to the standard library.
    pub fn stack_size(mut self, bytes: Option<usize>) -> Self {
        self.stack_size = bytes;
        self
    }

    /// Sets how long a thread stays without a job before it ends; `None` keeps every thread.
    ///
    /// The pool keeps its last thread in any case, so that a job never depends on the operating system granting one
    /// again.
    pub fn keep_alive(mut self, time: Option<Duration>) -> Self {
        self.keep_alive = time;
        self
    }

    /// Sets how long a thread that ran out of jobs looks on before it parks.
    ///
    /// Waking a parked thread takes tens of microseconds, handing a job to one that still looks takes less than one.
    /// Only one thread of a pool does so at a time. Zero parks at once.
    pub fn spin(mut self, time: Duration) -> Self {
        self.spin = time;
        self
    }

    /// Chooses whether the threads run at a lower priority than the rest of the program.
    ///
    /// Such a thread offers its processor to others between two jobs, every 0.2 ms at most. On Linux it also
    /// raises its nice value by 3, so that a thread that serves I/O preempts it, unless the system refuses.
    pub fn low_priority(mut self, low: bool) -> Self {
        self.low_priority = low;
        self
    }

    /// Calls `hook` on each thread before its first job. A panic of the hook is caught.
    pub fn on_thread_start(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_thread_start = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` on each thread after its last job. A panic of the hook is caught.
    pub fn on_thread_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_thread_stop = Some(Arc::new(hook));
        self
    }

    /// Refuses settings that no pool could work with; the message names the fix.
    pub(crate) fn validate(&self) -> io::Result<()> {
        let problem = if self.max_threads == 0 {
            "max_threads is 0, so no job could ever run: set it to 1 or more, or leave it out for the default"
        } else if self.max_threads > MAX_THREADS {
            "max_threads is above 32767, which is more than a pool can count: lower it"
        } else if self.thread_name.contains('\0') {
            "thread_name contains a NUL byte, which no operating system takes: remove it"
        } else if self.stack_size == Some(0) {
            "stack_size is 0, so no thread could run: set it to some 64 KiB or more, or leave it out for the default"
        } else if self.spin > Duration::from_millis(10) {
            "spin is above 10 ms, which burns a processor for nothing: lower it (20 µs is the default)"
        } else {
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
    }
}

impl fmt::Debug for PoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConfig")
            .field("thread_name", &self.thread_name)
            .field("max_threads", &self.max_threads)
            .field("stack_size", &self.stack_size)
            .field("keep_alive", &self.keep_alive)
            .field("spin", &self.spin)
            .field("low_priority", &self.low_priority)
            .field("on_thread_start", &self.on_thread_start.is_some())
            .field("on_thread_stop", &self.on_thread_stop.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        PoolConfig::blocking().validate().unwrap();
        PoolConfig::compute().validate().unwrap();
    }

    #[test]
    fn each_absurd_setting_is_named_in_its_error() {
        let cases = [
            (PoolConfig::blocking().max_threads(0), "max_threads"),
            (
                PoolConfig::blocking().max_threads(MAX_THREADS + 1),
                "max_threads",
            ),
            (PoolConfig::compute().thread_name("a\0b"), "thread_name"),
            (PoolConfig::compute().stack_size(Some(0)), "stack_size"),
            (PoolConfig::compute().spin(Duration::from_secs(1)), "spin"),
        ];
        for (config, setting) in cases {
            let error = config.validate().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert!(error.to_string().starts_with(setting), "{error}");
        }
    }
}
