//! What is done about panics of tasks that nobody sees, or at all.

use super::ReportedTask;
use super::outlet::print;
use crate::task::{JoinError, PanicLocation};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a runtime does about the panics of its tasks and jobs, besides telling their handles; see
/// [`Builder::unhandled_panic`](crate::Builder::unhandled_panic).
///
/// | | acts on | when |
/// |---|---|---|
/// | `Ignore` | nothing | |
/// | `Log`, `Handler` | a panic that nobody will see: the handle is dropped without having given the error | as soon as that is certain |
/// | `Shutdown`, `Abort` | every panic that ends a task or job | at once, before its handle can tell |
///
/// Whatever is chosen, the panic has passed the panic hook, which prints it unless the program replaced it; and a handle that is
/// still there gives it as a [`JoinError`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum UnhandledPanic {
    /// Nothing. This is the default.
    #[default]
    Ignore,
    /// Says the panic, the task's id, name and spawn site: to the hook of [`on_report`](crate::Builder::on_report), or else to
    /// `tracing` (with that feature, if a subscriber is set), or else in one line on standard error.
    ///
    /// It is said on the thread that noticed it, unless there is one for reports, as in debug mode, which says it anyway.
    Log,
    /// Shuts the runtime down: no task or job starts any more, those that are left are dropped, and every `block_on`, waiting or
    /// yet to come, panics and names the task.
    ///
    /// Not if the runtime is being shut down already.
    #[doc(alias = "ShutdownRuntime")]
    Shutdown,
    /// Says the panic on standard error and aborts the process.
    Abort,
    /// Calls a function; made by [`UnhandledPanic::handler`].
    Handler(PanicHandler),
}

impl UnhandledPanic {
    /// Calls `handler` with each panic that nobody will see.
    ///
    /// It is called on the thread that noticed it: that of the task or job, if it was detached when it ended; or the one that drops
    /// the handle, which need not be inside of the runtime. So it should not block. A panic of the handler is caught.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::runtime::{Builder, UnhandledPanic};
    /// use gristmill::spawn;
    /// use std::sync::mpsc;
    ///
    /// let (sender, panics) = mpsc::channel();
    /// let runtime = Builder::new()
    ///     .unhandled_panic(UnhandledPanic::handler(move |panic| drop(sender.send(panic.clone()))))
    ///     .build()?;
    /// runtime.block_on(async { drop(spawn(async { panic!("out of grist") })) });
    /// let panic = panics.recv().expect("the handler was called");
    /// assert_eq!(panic.message(), Some("out of grist"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "set_exception_handler")]
    pub fn handler(handler: impl Fn(&TaskPanic) + Send + Sync + 'static) -> Self {
        Self::Handler(PanicHandler(Arc::new(handler)))
    }
}

/// A function that is called with panics that nobody will see; made by [`UnhandledPanic::handler`].
#[derive(Clone)]
pub struct PanicHandler(Arc<dyn Fn(&TaskPanic) + Send + Sync>);

impl PanicHandler {
    /// Calls it; a panic of it ends here.
    pub(super) fn call(&self, panic: &TaskPanic) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| (self.0)(panic))) {
            // Dropping it could panic again.
            std::mem::forget(payload);
        }
    }
}

impl fmt::Debug for PanicHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanicHandler").finish_non_exhaustive()
    }
}

/// A panic that ended a task or job.
///
/// Its `Display` is one line: `task 7 "grind" spawned at src/main.rs:10:5 panicked at src/main.rs:20:9: out of grist`.
#[derive(Clone, Debug)]
pub struct TaskPanic {
    pub(super) task: ReportedTask,
    pub(super) message: Option<String>,
    pub(super) location: Option<PanicLocation>,
}

impl TaskPanic {
    /// `error` is that of a panic.
    pub(crate) fn new(task: ReportedTask, error: &JoinError) -> Self {
        Self {
            task,
            message: error.panic_message(),
            location: error.panicked_at().cloned(),
        }
    }

    /// Says it on standard error and aborts the process.
    #[cold]
    pub(crate) fn abort_process(&self) -> ! {
        print(&format_args!(
            "{self}; the process is aborted, as Builder::unhandled_panic says"
        ));
        std::process::abort()
    }

    /// Which task or job.
    pub fn task(&self) -> &ReportedTask {
        &self.task
    }

    /// What the panic said, if that is text, as with `panic!`.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Where it was raised, as far as that is known; see [`JoinError::panicked_at`].
    pub fn panicked_at(&self) -> Option<&PanicLocation> {
        self.location.as_ref()
    }
}

impl fmt::Display for TaskPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} panicked", self.task)?;
        let place = self.location.as_ref();
        place.map_or(Ok(()), |place| write!(f, " at {place}"))?;
        let message = self.message();
        message.map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}
