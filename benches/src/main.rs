//! Side-by-side measurements of gristmill and its peers.
fn main() {}
