//! Reading and writing, and any other descriptor.
