//! A value that is made once, by whoever needs it first.

use super::permits::{Held, Permits};
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::OnceLock;

/// A value that is made once, by an async function, when it is first needed.
///
/// One task at a time tries to make it; the others wait, in the order in which they first polled. If it fails, panics or is dropped,
/// the next one tries.
///
/// # Examples
///
/// ```
/// use gristmill::sync::OnceCell;
///
/// static SETTINGS: OnceCell<String> = OnceCell::const_new();
///
/// async fn settings() -> &'static String {
///     SETTINGS.get_or_init(async || "read once".to_owned()).await
/// }
///
/// gristmill::run(async {
///     assert_eq!(settings().await, "read once");
///     assert!(std::ptr::eq(settings().await, settings().await));
/// });
/// ```
pub struct OnceCell<T> {
    value: OnceLock<T>,
    /// One: the right to make the value. Closed once it is made.
    turn: Permits,
}

impl<T> OnceCell<T> {
    /// A cell without a value.
    pub const fn new() -> Self {
        Self {
            value: OnceLock::new(),
            turn: Permits::new(1),
        }
    }

    /// As [`new`](Self::new), under the name that it has elsewhere for statics.
    pub const fn const_new() -> Self {
        Self::new()
    }

    /// A cell with a value, if there is one.
    pub fn new_with(value: Option<T>) -> Self {
        value.map_or_else(Self::new, Self::from)
    }

    /// Whether the value is there.
    pub fn initialized(&self) -> bool {
        self.value.get().is_some()
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if it is there, of a cell that nobody else can reach.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// The value, if it is there.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out, of a cell that nobody else can reach; the cell is as new.
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }

    /// Gives the cell its value.
    ///
    /// # Errors
    ///
    /// If it has one already, or somebody is making it at this moment; the value comes back.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        if self.initialized() {
            return Err(SetError::AlreadyInitializedError(value));
        }
        if self.turn.try_take(1).is_err() {
            return Err(match self.initialized() {
                true => SetError::AlreadyInitializedError(value),
                false => SetError::InitializingError(value),
            });
        }
        let turn = Held::new(&self.turn, 1);
        self.fill(value, turn);
        Ok(())
    }

    /// The value, which `init` makes if it is not there.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if the future of `init` may be dropped: the next one who asks tries again.
    pub async fn get_or_init<F, Fut>(&self, init: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let Ok(value) = self
            .get_or_try_init(|| async { Ok::<T, Infallible>(init().await) })
            .await;
        value
    }

    /// The value, which `init` tries to make if it is not there.
    ///
    /// # Errors
    ///
    /// If `init` fails; the next one who asks tries again.
    ///
    /// # Cancel safety
    ///
    /// As [`get_or_init`](Self::get_or_init).
    pub async fn get_or_try_init<E, F, Fut>(&self, init: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(value) = self.value.get() {
            runtime_core::consume_budget().await;
            return Ok(value);
        }
        if !self.turn.take(1).await {
            // Closed after the value was put in.
            return Ok(self.value.get().expect("closed with a value"));
        }
        let turn = Held::new(&self.turn, 1);
        let value = init().await?;
        Ok(self.fill(value, turn))
    }

    /// For whoever has the turn.
    fn fill(&self, value: T, turn: Held<'_>) -> &T {
        let value = self.value.get_or_init(|| value);
        // Whoever waits is told by the closing, and not one after the other.
        self.turn.close();
        drop(turn);
        value
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        let cell = Self {
            value: OnceLock::from(value),
            turn: Permits::new(0),
        };
        cell.turn.close();
        cell
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    fn clone(&self) -> Self {
        Self::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell")
            .field("value", &self.get())
            .finish()
    }
}

/// Why [`OnceCell::set`] did nothing; the value comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetError<T> {
    /// The cell has a value already.
    AlreadyInitializedError(T),
    /// Somebody is making the value at this moment.
    InitializingError(T),
}

impl<T> SetError<T> {
    /// Whether the cell has a value already.
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, Self::AlreadyInitializedError(_))
    }

    /// Whether somebody is making the value at this moment.
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, Self::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInitializedError(_) => "the OnceCell has a value already",
            Self::InitializingError(_) => "somebody is making the value of the OnceCell",
        })
    }
}

impl<T: fmt::Debug> Error for SetError<T> {}
