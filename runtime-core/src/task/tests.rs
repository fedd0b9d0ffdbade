//! Tests of the task cell.
