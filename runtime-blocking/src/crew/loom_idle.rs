//! The idle protocol under loom.
