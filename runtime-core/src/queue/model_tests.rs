//! Two workers' queues and the injector against plain lists: any sequence of calls keeps each runnable, once, in its order.

use super::{Injector, LocalQueue, Shared};
use crate::task::header::Header;
use crate::task::{Cause, Id, Meta, Runnable, Schedule, allocate};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::panic::Location;

/// Who never wakes anybody.
struct Nowhere;

impl Schedule for Nowhere {
    const CLAIM_ON_ABORT: bool = false;
    type Address = ();

    fn address(&self) {}

    fn send((): (), runnable: Runnable, _cause: Cause) {
        drop(runnable);
    }

    fn release(&self, _task: &Header) -> bool {
        false
    }
}

fn runnable() -> Runnable {
    let meta = Meta::new(Location::caller());
    let (runnable, handle, _) = allocate(async {}, Nowhere, meta, false);
    drop(handle);
    runnable
}

/// One call; the number says whose queue it is on.
#[derive(Clone, Copy, Debug)]
enum Step {
    PushFirst(usize),
    PushBack(usize),
    Inject,
    Pop(usize),
    TakeFrom(usize),
    Steal(usize),
    StealSlot(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..2_usize).prop_flat_map(|worker| {
        prop_oneof![
            3 => Just(Step::PushFirst(worker)),
            2 => Just(Step::PushBack(worker)),
            2 => Just(Step::Inject),
            4 => Just(Step::Pop(worker)),
            1 => Just(Step::TakeFrom(worker)),
            1 => Just(Step::Steal(worker)),
            1 => Just(Step::StealSlot(worker)),
        ]
    });
    vec(step, 0..200)
}

/// A queue as it should be.
#[derive(Default)]
struct Model {
    slot: Option<Id>,
    deque: VecDeque<Id>,
    streak: u32,
}

impl Model {
    /// L1: three from the slot, then one from the deque, if it has any.
    fn pop(&mut self) -> Option<Id> {
        if self.streak < 3
            && let Some(id) = self.slot.take()
        {
            self.streak += 1;
            return Some(id);
        }
        self.streak = 0;
        self.deque.pop_front().or_else(|| self.slot.take())
    }

    fn len(&self) -> usize {
        self.deque.len() + usize::from(self.slot.is_some())
    }
}

/// The queues, and what should be in them.
struct Scene {
    queues: [(LocalQueue, Shared); 2],
    injector: Injector,
    models: [Model; 2],
    injected: VecDeque<Id>,
    given_out: BTreeSet<Id>,
}

impl Scene {
    fn new() -> Self {
        Self {
            queues: [LocalQueue::new(), LocalQueue::new()],
            injector: Injector::new(),
            models: [Model::default(), Model::default()],
            injected: VecDeque::new(),
            given_out: BTreeSet::new(),
        }
    }

    fn give_out(&mut self, runnable: Runnable) {
        assert!(self.given_out.insert(runnable.meta().id), "twice");
        drop(runnable);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::PushFirst(own) => {
                let runnable = runnable();
                let model = &mut self.models[own];
                let displaced = model.slot.replace(runnable.meta().id);
                model.deque.extend(displaced);
                let (queue, shared) = &self.queues[own];
                assert_eq!(queue.push_first(shared, runnable), displaced.is_some());
            }
            Step::PushBack(own) => {
                let runnable = runnable();
                self.models[own].deque.push_back(runnable.meta().id);
                self.queues[own].0.push_back(runnable);
            }
            Step::Inject => {
                let runnable = runnable();
                self.injected.push_back(runnable.meta().id);
                self.injector.push(runnable);
            }
            Step::Pop(own) => {
                let (queue, shared) = &self.queues[own];
                let popped = queue.pop(shared);
                let expected = self.models[own].pop();
                assert_eq!(popped.as_ref().map(|it| it.meta().id), expected);
                popped.into_iter().for_each(|it| self.give_out(it));
            }
            Step::TakeFrom(own) => {
                let taken = self.queues[own].0.take_from(&self.injector);
                assert_eq!(
                    taken.as_ref().map(|it| it.meta().id),
                    self.injected.pop_front()
                );
                // The batch behind it keeps its order.
                let moved = self.injected.len() - self.injector.len();
                self.models[own].deque.extend(self.injected.drain(..moved));
                taken.into_iter().for_each(|it| self.give_out(it));
            }
            Step::Steal(thief) => self.steal(thief, 1 - thief),
            Step::StealSlot(victim) => {
                let stolen = self.queues[victim].1.steal_slot();
                assert_eq!(
                    stolen.as_ref().map(|it| it.meta().id),
                    self.models[victim].slot.take()
                );
                stolen.into_iter().for_each(|it| self.give_out(it));
            }
        }
    }

    /// About half of the victim's deque goes over, in order; never its slot.
    fn steal(&mut self, thief: usize, victim: usize) {
        let stolen = self.queues[thief].0.steal_from(&self.queues[victim].1);
        let expected = self.models[victim].deque.pop_front();
        assert_eq!(stolen.as_ref().map(|it| it.meta().id), expected);
        let slot = usize::from(self.models[victim].slot.is_some());
        let left = self.queues[victim].1.len() - slot;
        let moved = self.models[victim].deque.len() - left;
        let batch: Vec<_> = self.models[victim].deque.drain(..moved).collect();
        self.models[thief].deque.extend(batch);
        stolen.into_iter().for_each(|it| self.give_out(it));
    }

    fn agrees(&self) {
        for ((queue, shared), model) in self.queues.iter().zip(&self.models) {
            assert_eq!(shared.len(), model.len());
            assert_eq!(queue.is_empty(shared), model.len() == 0);
            assert_eq!(shared.has_slot(), model.slot.is_some());
            assert_eq!(shared.has_stealable(), !model.deque.is_empty());
        }
        assert_eq!(self.injector.len(), self.injected.len());
        assert_eq!(self.injector.is_empty(), self.injected.is_empty());
    }
}

proptest! {
    #[test]
    fn queues_do_as_plain_lists_do(steps in steps()) {
        let mut scene = Scene::new();
        for step in steps {
            scene.step(step);
            scene.agrees();
        }
    }
}
