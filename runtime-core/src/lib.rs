//! The engine of gristmill: tasks, queues, parking, reactor, scheduler, runtime.
