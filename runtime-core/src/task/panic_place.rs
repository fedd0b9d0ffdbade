//! Where a task panicked.
//!
//! A panic's payload does not say where it was raised; only the panic hook is told. So a hook of ours goes before the one that
//! is there, once a process. It remembers the place for its own thread, and only while a task or job runs there; who catches the panic
//! asks for it. Nothing is done where no panic is.
//!
//! What is remembered may be of another panic than the one that was caught: user code may catch panics too, and may raise again
//! what it has caught, which no hook sees. So a place is given only if it was remembered for the same task and the same message.
//! A program that replaces the hook without calling ours has panics without a place.

use super::{Id, current};
use crate::sync::OnceLock;
use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{self, PanicHookInfo};
use std::thread;

/// Where in the source a panic was raised: file, line and column.
///
/// Its `Display` is as of [`std::panic::Location`]: `src/main.rs:10:5`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PanicLocation {
    file: Box<str>,
    line: u32,
    column: u32,
}

impl PanicLocation {
    /// The source file, as the compiler was given it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, from 1.
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl fmt::Display for PanicLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The last panic of a task on this thread.
struct Remembered {
    task: Id,
    /// Of the payload; see [`likeness`].
    likeness: u64,
    location: PanicLocation,
}

thread_local! {
    static LAST: Cell<Option<Remembered>> = const { Cell::new(None) };
}

/// Puts the hook in place, if it is not. It is when this returns.
pub(crate) fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    // A thread that panics may not change the hook; the next runtime does.
    if thread::panicking() {
        return;
    }
    INSTALLED.get_or_init(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            remember(info);
            next(info);
        }));
    });
}

/// Notes the place of a panic, if a task runs on this thread.
fn remember(info: &PanicHookInfo<'_>) {
    let (Some(task), Some(location)) = (current::current_task(), info.location()) else {
        return;
    };
    let last = Remembered {
        task,
        likeness: likeness(info.payload()),
        location: PanicLocation {
            file: location.file().into(),
            line: location.line(),
            column: location.column(),
        },
    };
    // A thread that is past its destructors remembers nothing.
    let _ = LAST.try_with(|place| place.set(Some(last)));
}

/// Where the panic of this task was raised that was just caught on this thread, if the hook was told.
pub(super) fn take(task: Id, payload: &(dyn Any + Send)) -> Option<PanicLocation> {
    let last = LAST.try_with(Cell::take).ok().flatten()?;
    (last.task == task && last.likeness == likeness(payload)).then_some(last.location)
}

/// The same for the payload that a hook is shown and the one that is caught, although they may lie in different places.
fn likeness(payload: &(dyn Any + Send)) -> u64 {
    let mut hasher = DefaultHasher::new();
    match message(payload) {
        Some(message) => message.hash(&mut hasher),
        None => Any::type_id(payload).hash(&mut hasher),
    }
    hasher.finish()
}

/// What a panic says, if that is text, as with `panic!`.
pub(super) fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
