//! The connections of a server, and who waits for their end.
//!
//! # Invariants
//!
//! * G1 — A connection is in the table from before its task is spawned until that task is over, however it ends.
//! * G2 — Once the door is shut no connection is added, so that whoever shuts it and then goes through the table reaches all.

use super::transport::Transport;
use crate::sync::Notify;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// The connections of a server.
#[derive(Debug)]
pub(super) struct Clients {
    table: Mutex<Table>,
    /// Notified when a connection ends, and when the server no longer listens.
    fewer: Notify,
}

#[derive(Debug)]
struct Table {
    connections: HashMap<u64, Transport>,
    next: u64,
    /// G2.
    door: Door,
}

/// Whether new connections are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    /// No more connections are taken; the listener may still be there.
    Shut,
    /// The listener is closed.
    Gone,
}

/// A place in the table; its drop gives it up.
pub(super) struct Membership {
    clients: Arc<Clients>,
    key: u64,
}

impl Clients {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::new(Table {
                connections: HashMap::new(),
                next: 0,
                door: Door::Open,
            }),
            fewer: Notify::new(),
        })
    }

    /// Adds a connection; `None` if the door is shut.
    pub(super) fn add(self: &Arc<Self>, transport: Transport) -> Option<Membership> {
        let mut table = self.table.lock();
        if table.door != Door::Open {
            return None;
        }
        let key = table.next;
        table.next += 1;
        table.connections.insert(key, transport);
        Some(Membership {
            clients: Arc::clone(self),
            key,
        })
    }

    /// Shuts the door, or notes that the listener is closed; there is no way back.
    pub(super) fn shut(&self, door: Door) {
        let mut table = self.table.lock();
        if table.door != Door::Gone {
            table.door = door;
        }
        drop(table);
        self.fewer.notify_waiters();
    }

    pub(super) fn door(&self) -> Door {
        self.table.lock().door
    }

    pub(super) fn count(&self) -> usize {
        self.table.lock().connections.len()
    }

    /// All connections of the moment.
    pub(super) fn all(&self) -> Vec<Transport> {
        self.table.lock().connections.values().cloned().collect()
    }

    /// Waits until the listener is closed.
    pub(super) async fn stopped(&self) {
        self.until(|table| table.door == Door::Gone).await;
    }

    /// Waits until the listener is closed and no connection is left.
    pub(super) async fn empty(&self) {
        self.until(|table| table.door == Door::Gone && table.connections.is_empty())
            .await;
    }

    async fn until(&self, holds: impl Fn(&Table) -> bool) {
        loop {
            let notified = self.fewer.notified();
            if holds(&self.table.lock()) {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let gone = self.clients.table.lock().connections.remove(&self.key);
        // Dropped after the lock is released.
        drop(gone);
        self.clients.fewer.notify_waiters();
    }
}
