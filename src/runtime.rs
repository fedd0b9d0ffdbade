//! Making, configuring, reaching and measuring a runtime.

pub use runtime_core::{
    Builder, EnterGuard, Handle, Runtime, RuntimeMetrics, TryCurrentError, run,
};
