//! The timers of gristmill: a hierarchical wheel, a clock that tests can pause, and the futures over them.
