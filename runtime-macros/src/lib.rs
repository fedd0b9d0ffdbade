//! The attribute macros of gristmill.
