#![expect(
    unsafe_code,
    reason = "registers descriptors, which these tests take out before they close"
)]
//! Sources that move between the shared poller and a worker's own, with the kernel's part in it.

use super::*;
use crate::reactor::inbox::{Event, Steer};
use crate::reactor::key::Key;
use crate::reactor::ready::Ready;
use crate::reactor::registry::Registry;
use crate::reactor::source::Source;
use crate::sync::Arc;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

const WORKER: usize = 1;
const OTHER: u32 = 0;

/// Decides as the worker with this number does with what its inbox holds.
struct Adopter(u32);

impl Steer for Adopter {
    fn puts_aside(&mut self, _lane: u32, _event: Event) -> bool {
        false
    }

    fn locate(&mut self, _source: BorrowedFd<'_>, lane: &mut u32) {
        *lane = self.0;
    }

    fn settles(&mut self, _lane: u32, _home: u32) -> Option<u32> {
        Some(self.0)
    }
}

/// Decides as a worker does that asks, and hears that the source belongs to another.
#[derive(Default)]
struct Giver {
    aside: Vec<(u32, Event)>,
}

impl Steer for Giver {
    fn puts_aside(&mut self, lane: u32, event: Event) -> bool {
        let is_another = lane == OTHER;
        if is_another {
            self.aside.push((lane, event));
        }
        is_another
    }

    fn locate(&mut self, _source: BorrowedFd<'_>, lane: &mut u32) {
        *lane = OTHER;
    }

    fn settles(&mut self, _lane: u32, _home: u32) -> Option<u32> {
        None
    }
}

/// A registered socket, and its peer.
struct Scene {
    registry: Registry,
    key: Key,
    source: Arc<Source>,
    socket: UnixStream,
    peer: UnixStream,
}

impl Scene {
    fn new() -> Self {
        let registry = Registry::new(2).expect("descriptors to spare");
        let (socket, peer) = UnixStream::pair().expect("descriptors to spare");
        socket.set_nonblocking(true).expect("it is a socket");
        let source = Arc::new(Source::new(Ready::EMPTY));
        // SAFETY: `drop` takes it out before the socket closes.
        let key = unsafe { registry.register(socket.as_fd(), &source) }.expect("room for it");
        Self {
            registry,
            key,
            source,
            socket,
            peer,
        }
    }

    fn branch(&self, worker: usize) -> &Branch {
        &self.registry.branches[worker]
    }

    /// What the shared poller has: events of sources, and branches.
    fn at_shared(&self) -> (Vec<Event>, Vec<usize>) {
        let mut events = Events::new();
        let look = self.registry.poller.wait(&mut events, Some(Duration::ZERO));
        look.expect("the poller is whole");
        (events.iter().collect(), events.branches().collect())
    }

    fn at_branch(&self, worker: usize) -> Vec<Event> {
        let Some(poller) = self.branch(worker).in_use() else {
            return Vec::new();
        };
        let mut events = Events::new();
        let look = poller.wait(&mut events, Some(Duration::ZERO));
        look.expect("the poller is whole");
        events.iter().collect()
    }

    /// The worker finds an event of the socket in its inbox.
    fn adopt(&self, worker: usize) {
        let event = Event {
            key: self.key,
            ready: Ready::READABLE,
        };
        let mut adopter = Adopter(u32::try_from(worker).expect("small"));
        let mut woken = Vec::new();
        self.registry
            .dispatch([event].into_iter(), &mut adopter, &mut woken);
        // A descriptor that is put into a poller is reported as it is by then.
        assert_eq!(self.at_branch(worker).len(), 1);
    }

    fn send(&mut self) {
        self.peer.write_all(b"x").expect("room for a byte");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.registry.deregister(self.key, self.socket.as_fd());
    }
}

#[test]
fn an_adopted_source_is_reported_by_the_branch_and_by_no_other_poller() {
    let mut scene = Scene::new();
    assert_eq!(
        scene.at_shared().0.len(),
        1,
        "it can be written to, at first"
    );
    scene.adopt(WORKER);
    scene.send();
    assert_eq!(scene.at_branch(WORKER).len(), 1);
    assert_eq!(scene.at_shared(), (Vec::new(), Vec::new()));
}

#[test]
fn an_event_that_shows_where_its_source_belongs_goes_there_with_the_next_ones() {
    let scene = Scene::new();
    let event = Event {
        key: scene.key,
        ready: Ready::READABLE,
    };
    let (mut giver, mut woken) = (Giver::default(), Vec::new());
    for _ in 0..2 {
        scene
            .registry
            .dispatch([event].into_iter(), &mut giver, &mut woken);
    }
    assert_eq!(giver.aside, [(OTHER, event); 2]);
    assert!(
        scene.source.seen().ready().is_empty(),
        "nothing is told here"
    );
}

#[test]
fn what_came_before_the_move_is_reported_after_it() {
    let mut scene = Scene::new();
    scene.send();
    // Nobody has looked when it moves; `adopt` looks at the branch.
    scene.adopt(WORKER);
    assert_eq!(scene.socket.read(&mut [0; 8]).expect("a byte"), 1);
}

#[test]
fn a_source_moves_on_and_leaves_its_branch_out_of_use() {
    let mut scene = Scene::new();
    scene.adopt(WORKER);
    scene.adopt(0);
    assert!(scene.branch(WORKER).in_use().is_none());
    scene.send();
    assert_eq!(scene.at_branch(0).len(), 1);
    scene.registry.deregister(scene.key, scene.socket.as_fd());
    assert!(scene.branch(0).in_use().is_none());
}

#[test]
fn a_grafted_branch_is_seen_from_the_shared_poller_until_it_is_pruned() {
    let mut scene = Scene::new();
    let graft = scene.registry.graft(WORKER);
    assert_eq!(graft, Graft::NotNew, "there is nothing in it");
    scene.adopt(WORKER);
    assert_eq!(scene.registry.graft(WORKER), Graft::New);
    scene.send();
    assert_eq!(scene.at_shared().1, [WORKER]);
    assert_eq!(scene.at_shared().1, [WORKER], "until somebody takes it");
    let mut events = Events::new();
    let branch = scene.branch(WORKER);
    branch.look_for_worker(&mut events).expect("it is whole");
    assert_eq!(events.iter().count(), 1);
    assert_eq!(scene.at_shared().1, []);
    scene.registry.prune(WORKER);
    scene.send();
    assert_eq!(scene.at_shared().1, []);
    let branch = scene.branch(WORKER);
    branch.look_for_worker(&mut events).expect("it is whole");
    assert_eq!(events.iter().count(), 0, "left to the worker");
    assert_eq!(scene.at_branch(WORKER).len(), 1);
}

#[test]
fn a_notification_ends_the_wait_in_the_poller_of_its_number() {
    let scene = Scene::new();
    scene.adopt(WORKER);
    let poller = scene.branch(WORKER).in_use().expect("it was adopted");
    scene.registry.notify(number(WORKER));
    let mut events = Events::new();
    // Without an end: a notification that is lost is a test that hangs.
    poller.wait(&mut events, None).expect("it is whole");
    scene.registry.notify(SHARED);
    drop(scene.at_shared());
    scene.registry.notify(SHARED);
    let wait = scene.registry.poller.wait_beside(poller, None);
    wait.expect("both are whole");
}

#[test]
fn trust_in_short_reads_moves_with_the_source() {
    let mut scene = Scene::new();
    let (key, fd) = (scene.key, scene.socket.as_fd());
    assert!(scene.registry.watch_hang_up(key, fd));
    scene.adopt(WORKER);
    scene.send();
    let gone = UnixStream::pair().expect("descriptors to spare").0;
    drop(std::mem::replace(&mut scene.peer, gone));
    let [event] = scene.at_branch(WORKER)[..] else {
        panic!("one source, one event")
    };
    assert!(event.ready.is_read_closed(), "bytes and end in one");
}

#[test]
fn a_branch_that_cannot_be_grafted_is_looked_at_by_whoever_asked() {
    let watched = Watched::new();
    assert!(watched.look(|| ()).is_none(), "it is its worker's");
    assert_eq!(watched.graft(|| false), Graft::Refused);
    assert!(watched.look(|| ()).is_some(), "now it is not");
    watched.leave();
    assert!(
        watched.look(|| ()).is_some(),
        "the worker's wake-ups change nothing"
    );
    assert!(watched.enter(), "the worker has to sleep there");
    assert!(watched.look(|| ()).is_none());
    assert_eq!(watched.graft(|| true), Graft::NotNew);
    watched.leave();
    assert!(watched.look(|| ()).is_none(), "it has looked");
    assert_eq!(watched.graft(|| false), Graft::Refused);
    assert_eq!(watched.graft(|| true), Graft::New, "the next time it can");
    watched.prune(|| true);
    assert!(watched.look(|| ()).is_none());
}
