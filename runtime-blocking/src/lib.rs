//! The executors of gristmill: an elastic pool for blocking calls and a bounded pool for computation.
