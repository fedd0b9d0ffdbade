//! Making, configuring, reaching and measuring a runtime.

pub use runtime_core::{
    Builder, EnterGuard, Handle, Report, ReportedTask, Runtime, RuntimeMetrics, SlowPollCause,
    TryCurrentError, run,
};
