//! Making, configuring, reaching and measuring a runtime.

pub use runtime_core::{
    Builder, EnterGuard, Handle, PanicHandler, Report, ReportedTask, Runtime, RuntimeMetrics,
    ShutdownReport, SlowPollCause, TaskPanic, TryCurrentError, UnfinishedJob, UnfinishedJobState,
    UnfinishedTask, UnfinishedTaskState, UnhandledPanic, run,
};
