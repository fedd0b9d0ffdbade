//! What the queues promise: each item to one getter, in the queue's order, and a count of what is not done.

mod common;

use common::cut::{ByHand, at_each_poll, fickle, now};
use common::{Count, on_each, panic_text, silence_panics};
use futures_lite::StreamExt;
use gristmill::sync::{LifoQueue, PriorityQueue, Queue, TryGetError, TryPutError};
use gristmill::task::{JoinSet, yield_now};
use std::cmp::Reverse;
use std::pin::pin;
use std::sync::Arc;

#[test]
fn each_queue_has_its_order() {
    let items = [3, 1, 2];
    let (fifo, lifo, heap) = (
        Queue::unbounded(),
        LifoQueue::unbounded(),
        PriorityQueue::unbounded(),
    );
    for item in items {
        fifo.try_put(item).expect("open");
        lifo.try_put(item).expect("open");
        heap.try_put(item).expect("open");
    }
    let all = |get: &dyn Fn() -> Result<i32, TryGetError>| -> Vec<_> {
        std::iter::from_fn(|| get().ok()).collect()
    };
    assert_eq!(all(&|| fifo.try_get()), [3, 1, 2]);
    assert_eq!(all(&|| lifo.try_get()), [2, 1, 3]);
    assert_eq!(all(&|| heap.try_get()), [1, 2, 3]);
}

#[test]
fn equals_leave_a_priority_queue_in_the_order_in_which_they_came() {
    /// Compares by the first alone.
    #[derive(Debug)]
    struct Job(u32, u32);
    impl PartialEq for Job {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }
    impl Eq for Job {}
    impl PartialOrd for Job {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Job {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }
    let queue = PriorityQueue::unbounded();
    for n in 0..20 {
        queue.try_put(Reverse(Job(n % 2, n))).expect("open");
    }
    let got: Vec<_> = std::iter::from_fn(|| queue.try_get().ok())
        .map(|Reverse(Job(_, n))| n)
        .collect();
    let odd_first: Vec<_> = (0..20)
        .filter(|n| n % 2 == 1)
        .chain((0..20).filter(|n| n % 2 == 0))
        .collect();
    assert_eq!(got, odd_first);
}

#[test]
fn a_full_queue_makes_put_wait_and_refuses_try_put() {
    let queue = Queue::bounded(2);
    now(queue.put(1)).expect("open");
    queue.try_put(2).expect("a place");
    assert!(queue.is_full());
    assert_eq!(queue.try_put(3), Err(TryPutError::Full(3)));
    let first = ByHand::waiting(queue.put(3));
    let second = ByHand::waiting(queue.put(4));
    assert_eq!(queue.try_get(), Ok(1));
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    first.woken().expect("open");
    assert_eq!(queue.try_get(), Ok(2));
    second.woken().expect("open");
    assert_eq!((queue.len(), queue.capacity()), (2, Some(2)));
}

#[test]
fn getters_are_served_in_the_order_in_which_they_came() {
    let queue = Queue::unbounded();
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    let waiting: Vec<_> = (0..3).map(|_| ByHand::waiting(queue.get())).collect();
    for n in 0..3 {
        queue.try_put(n).expect("open");
    }
    assert_eq!(
        queue.try_get(),
        Err(TryGetError::Empty),
        "all are spoken for"
    );
    for (n, next) in waiting.into_iter().enumerate() {
        assert_eq!(next.woken(), Ok(n));
    }
}

#[test]
fn a_dropped_get_loses_no_item() {
    at_each_poll(|cut| {
        let queue = Queue::bounded(1);
        let got = cut.drive(queue.get(), |poll| {
            if poll == 2 {
                queue.try_put(1).expect("a place");
            }
        });
        let was_put = got.is_some() || queue.len() == 1;
        if got.is_none() && was_put {
            assert_eq!(queue.try_get(), Ok(1));
        }
        assert_eq!(queue.try_put(2), Ok(()), "the place is free again");
    });
}

#[test]
fn an_item_for_a_getter_that_goes_is_the_next_ones() {
    let queue = Queue::unbounded();
    let first = ByHand::waiting(queue.get());
    let second = ByHand::waiting(queue.get());
    queue.try_put(1).expect("open");
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.woken(), Ok(1));
}

#[test]
fn a_dropped_put_has_put_nothing_and_leaks_no_place() {
    at_each_poll(|cut| {
        let queue = Queue::bounded(1);
        queue.try_put(0).expect("a place");
        let mut got = Vec::new();
        let put = cut.drive(queue.put(1), |poll| {
            if poll == 2 {
                got.push(queue.try_get().expect("an item"));
            }
        });
        got.extend(std::iter::from_fn(|| queue.try_get().ok()));
        assert_eq!(got.contains(&1), put.is_some());
        assert_eq!(queue.try_put(2), Ok(()));
    });
}

#[test]
fn join_waits_for_the_work_and_not_for_the_queue() {
    let queue = Queue::unbounded();
    now(queue.join());
    queue.try_put(1).expect("open");
    queue.try_put(2).expect("open");
    let joining = ByHand::waiting(queue.join());
    assert_eq!((queue.try_get(), queue.try_get()), (Ok(1), Ok(2)));
    queue.task_done();
    assert_eq!((joining.wakes(), queue.unfinished()), (0, 1));
    queue.task_done();
    joining.woken();
}

#[test]
fn task_done_too_often_says_so() {
    silence_panics();
    let queue = Queue::<u32>::unbounded();
    let text = panic_text(|| queue.task_done());
    assert!(text.contains("more often than items were put"), "{text}");
    queue.try_put(1).expect("the queue is in order");
}

#[test]
fn shutdown_refuses_puts_and_lets_what_is_left_be_got() {
    let queue = Queue::bounded(2);
    queue.try_put(1).expect("a place");
    queue.try_put(2).expect("a place");
    let putting = ByHand::waiting(queue.put(3));
    queue.shutdown();
    assert!(queue.is_shutdown());
    assert_eq!(putting.woken().expect_err("shut down").0, 3);
    assert_eq!(queue.try_put(4), Err(TryPutError::ShutDown(4)));
    assert_eq!(now(queue.put(5)).expect_err("shut down").0, 5);
    assert_eq!(now(queue.get()), Ok(1));
    assert_eq!(queue.try_get(), Ok(2));
    assert!(now(queue.get()).is_err());
    assert_eq!(queue.try_get(), Err(TryGetError::ShutDown));
    let joining = ByHand::waiting(queue.join());
    queue.task_done();
    queue.task_done();
    joining.woken();
}

#[test]
fn shutdown_wakes_the_getters_of_an_empty_queue() {
    let queue = Queue::<u32>::unbounded();
    let waiting: Vec<_> = (0..3).map(|_| ByHand::waiting(queue.get())).collect();
    queue.shutdown();
    for next in waiting {
        let error = next.woken().expect_err("shut down");
        assert!(error.to_string().contains("shut down"), "{error}");
    }
}

#[test]
fn an_immediate_shutdown_drops_what_is_left_and_ends_join() {
    let drops = Count::default();
    let queue = Queue::unbounded();
    queue.try_put(drops.on_drop()).expect("open");
    queue.try_put(drops.on_drop()).expect("open");
    let taken = queue.try_get().expect("an item");
    let joining = ByHand::waiting(queue.join());
    queue.shutdown_now();
    assert_eq!((drops.get(), queue.unfinished()), (1, 1));
    assert!(queue.try_get().is_err());
    drop(taken);
    queue.task_done();
    joining.woken();
}

#[test]
fn a_bound_of_zero_is_refused_with_the_fix() {
    silence_panics();
    let text = panic_text(|| drop(Queue::<u32>::bounded(0)));
    assert!(text.contains("unbounded()"), "{text}");
}

#[test]
fn a_queue_is_a_stream_until_it_is_shut_down() {
    let queue = LifoQueue::unbounded();
    queue.try_put(1).expect("open");
    queue.try_put(2).expect("open");
    queue.shutdown();
    let items: Vec<_> = now(pin!(queue.stream()).collect());
    assert_eq!(items, [2, 1]);
}

#[test]
fn every_item_goes_to_exactly_one_of_many_getters() {
    on_each(|runtime| {
        runtime.block_on(async {
            let queue = Arc::new(Queue::bounded(4));
            let mut getters = JoinSet::new();
            for _ in 0..4 {
                let queue = Arc::clone(&queue);
                getters.spawn(async move {
                    let mut got = Vec::new();
                    loop {
                        // One that gives up takes no item along.
                        let item = match fickle(queue.get()).await {
                            Some(item) => item,
                            None => queue.get().await,
                        };
                        let Ok(item) = item else {
                            return got;
                        };
                        got.push(item);
                        queue.task_done();
                    }
                });
            }
            let mut putters = JoinSet::new();
            for putter in 0..4 {
                let queue = Arc::clone(&queue);
                putters.spawn(async move {
                    for n in 0..250 {
                        if fickle(queue.put(putter * 250 + n)).await.is_none() {
                            queue.put(putter * 250 + n).await.expect("open");
                        }
                        if n % 10 == 0 {
                            yield_now().await;
                        }
                    }
                });
            }
            putters.join_all().await;
            queue.join().await;
            queue.shutdown();
            let mut all = getters.join_all().await.concat();
            all.sort_unstable();
            assert_eq!(all, (0..1_000).collect::<Vec<_>>());
        });
    });
}
