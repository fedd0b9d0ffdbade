//! TCP, UDP and Unix sockets, name look-up.
