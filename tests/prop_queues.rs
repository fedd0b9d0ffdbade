//! Any sequence of calls on a queue, of futures that wait or are given up among them, gives each item once, in the queue's order

use gristmill::sync::{LifoQueue, PriorityQueue, Queue, TryGetError, TryPutError};
use proptest::collection::vec;
use proptest::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// One step. Numbers choose among what waits.
#[derive(Clone, Debug)]
enum Step {
    TryPut(u8),
    TryGet,
    BeginPut(u8),
    BeginGet,
    Poll(usize),
    GiveUp(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => any::<u8>().prop_map(Step::TryPut),
        2 => Just(Step::TryGet),
        2 => any::<u8>().prop_map(Step::BeginPut),
        2 => Just(Step::BeginGet),
        4 => any::<usize>().prop_map(Step::Poll),
        2 => any::<usize>().prop_map(Step::GiveUp),
    ];
    vec(step, 0..80)
}

type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What the queues have in common. An item is a number and who it is among all.
trait Face {
    fn with_bound(bound: usize) -> Self;
    fn try_put(&self, item: (u8, usize)) -> Result<(), TryPutError<(u8, usize)>>;
    fn try_get(&self) -> Result<(u8, usize), TryGetError>;
    fn put(&self, item: (u8, usize)) -> Waiting<'_, ()>;
    fn get(&self) -> Waiting<'_, (u8, usize)>;
    fn count(&self) -> usize;
    /// Whose turn it is among the items, in the order in which they came.
    fn next(items: &[(u8, usize)]) -> Option<usize>;
}

macro_rules! face {
    ($queue:ident, $next:expr) => {
        impl Face for $queue<(u8, usize)> {
            fn with_bound(bound: usize) -> Self {
                Self::bounded(bound)
            }

            fn try_put(&self, item: (u8, usize)) -> Result<(), TryPutError<(u8, usize)>> {
                self.try_put(item)
            }

            fn try_get(&self) -> Result<(u8, usize), TryGetError> {
                self.try_get()
            }

            fn put(&self, item: (u8, usize)) -> Waiting<'_, ()> {
                Box::pin(async move { self.put(item).await.expect("open") })
            }

            fn get(&self) -> Waiting<'_, (u8, usize)> {
                Box::pin(async move { self.get().await.expect("open") })
            }

            fn count(&self) -> usize {
                self.len()
            }

            fn next(items: &[(u8, usize)]) -> Option<usize> {
                $next(items)
            }
        }
    };
}

face!(Queue, |items: &[_]| (!items.is_empty()).then_some(0));
face!(LifoQueue, |items: &[_]| items.len().checked_sub(1));
face!(PriorityQueue, |items: &[(u8, usize)]| {
    (0..items.len()).min_by_key(|&at| items[at])
});

/// A call that waits, and what it puts.
enum Call<'a> {
    Put(Waiting<'a, ()>, (u8, usize)),
    Get(Waiting<'a, (u8, usize)>),
}

/// What is in the queue by the record of the calls that have succeeded.
struct Record<Q> {
    items: Vec<(u8, usize)>,
    queue: std::marker::PhantomData<Q>,
}

impl<Q: Face> Record<Q> {
    fn got(&mut self, item: (u8, usize)) {
        let turn = Q::next(&self.items).map(|at| self.items.remove(at));
        assert_eq!(turn, Some(item), "not its turn, or not its first time");
    }
}

/// Polls a call; whether it is over.
fn poll<Q: Face>(call: &mut Call<'_>, record: &mut Record<Q>) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    match call {
        Call::Put(put, item) => match put.as_mut().poll(&mut cx) {
            Poll::Ready(()) => {
                record.items.push(*item);
                true
            }
            Poll::Pending => false,
        },
        Call::Get(get) => match get.as_mut().poll(&mut cx) {
            Poll::Ready(item) => {
                record.got(item);
                true
            }
            Poll::Pending => false,
        },
    }
}

fn check<Q: Face>(bound: usize, steps: Vec<Step>) {
    let queue = Q::with_bound(bound);
    let mut record = Record::<Q> {
        items: Vec::new(),
        queue: std::marker::PhantomData,
    };
    let mut calls: Vec<Call<'_>> = Vec::new();
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::TryPut(value) => match queue.try_put((value, number)) {
                Ok(()) => record.items.push((value, number)),
                Err(error) => {
                    let may_be_full = record.items.len() == bound || !calls.is_empty();
                    assert!(error.is_full() && may_be_full, "refused without a reason");
                }
            },
            Step::TryGet => match queue.try_get() {
                Ok(item) => record.got(item),
                Err(error) => {
                    let may_be_empty = record.items.is_empty() || !calls.is_empty();
                    assert!(error == TryGetError::Empty && may_be_empty, "not given");
                }
            },
            Step::BeginPut(value) => {
                let item = (value, number);
                calls.push(Call::Put(queue.put(item), item));
            }
            Step::BeginGet => calls.push(Call::Get(queue.get())),
            Step::Poll(which) if !calls.is_empty() => {
                let at = which % calls.len();
                if poll(&mut calls[at], &mut record) {
                    drop(calls.remove(at));
                }
            }
            Step::GiveUp(which) if !calls.is_empty() => drop(calls.remove(which % calls.len())),
            Step::Poll(_) | Step::GiveUp(_) => {}
        }
        assert_eq!(queue.count(), record.items.len());
        assert!(queue.count() <= bound, "over its bound");
    }
    // With everybody gone, every place and every item is there for whoever comes.
    drop(calls);
    for _ in record.items.len()..bound {
        let item = (0, usize::MAX);
        assert!(queue.try_put(item).is_ok(), "a place is lost");
        record.items.push(item);
    }
    assert!(queue.try_put((0, 0)).is_err(), "a place too many");
    for _ in 0..bound {
        record.got(queue.try_get().expect("an item is lost"));
    }
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
}

proptest! {
    #[test]
    fn a_queue_gives_each_item_once_in_the_order_of_arrival(bound in 1..5_usize, steps in steps()) {
        check::<Queue<_>>(bound, steps);
    }

    #[test]
    fn a_lifo_queue_gives_each_item_once_the_last_first(bound in 1..5_usize, steps in steps()) {
        check::<LifoQueue<_>>(bound, steps);
    }

    #[test]
    fn a_priority_queue_gives_each_item_once_the_smallest_first(bound in 1..5_usize, steps in steps()) {
        check::<PriorityQueue<_>>(bound, steps);
    }
}
