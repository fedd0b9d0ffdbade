//! What `task::group` promises: the body and its children end together, and the function returns after all of them.

mod common;

use common::{Count, CountingWaker, eventually, on_each, silence_panics};
use gristmill::runtime::Runtime;
use gristmill::task::{self, TaskGroup, group};
use gristmill::time::{Duration, timeout};
use std::future::pending;

/// Fails unless all tasks end.
fn assert_none_alive(runtime: &Runtime) {
    let metrics = runtime.metrics();
    eventually("all tasks have ended", || {
        // A current-thread runtime needs somebody who runs its tasks.
        runtime.block_on(task::yield_now());
        metrics.num_alive_tasks() == 0
    });
}

#[test]
fn the_body_may_borrow_and_use_what_its_children_give() {
    on_each(|runtime| {
        runtime.block_on(async {
            let texts = vec!["1".to_owned(), "2".to_owned()];
            let sum = group(async |g| {
                let mut sum = 0;
                for text in &texts {
                    let text = text.clone();
                    sum += g
                        .spawn(async move { text.parse::<u32>() })
                        .await
                        .expect("a number");
                }
                Ok(sum)
            });
            assert_eq!(sum.await.expect("no failure"), 3);
        });
    });
}

#[test]
fn it_returns_after_children_that_the_body_did_not_await() {
    on_each(|runtime| {
        runtime.block_on(async {
            let done = Count::default();
            let result = group(async |g| {
                for _ in 0..20 {
                    let done = done.clone();
                    g.spawn(async move {
                        task::yield_now().await;
                        done.add();
                        Ok::<_, ()>(())
                    });
                }
                Ok("body")
            });
            assert_eq!(result.await.map_err(drop), Ok("body"));
            assert_eq!(done.get(), 20);
        });
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn a_failing_child_drops_the_body_where_it_stands() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let probe = drops.on_drop();
            let result = group(async |g| {
                let _probe = probe;
                g.spawn(async {
                    task::yield_now().await;
                    Err::<(), _>("no")
                });
                pending::<Result<(), _>>().await
            });
            assert_eq!(
                result.await.expect_err("failed").errors().next(),
                Some(&"no")
            );
            assert_eq!(drops.get(), 1);
        });
    });
}

#[test]
fn an_error_of_the_body_aborts_the_children_and_comes_first() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let probe = drops.on_drop();
            let result = group(async |g| {
                g.spawn(async move {
                    let _probe = probe;
                    pending::<Result<(), _>>().await
                });
                Err::<(), _>("body")
            });
            let error = result.await.expect_err("failed");
            assert_eq!((error.len(), drops.get()), (1, 1));
            assert_eq!(error.first().id(), None, "it is no task");
            assert_eq!(error.into_first().into_error().ok(), Some("body"));
        });
    });
}

#[test]
fn a_panic_of_the_body_goes_on_after_the_children_have_ended() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let probe = drops.on_drop();
            let outer = gristmill::spawn(async {
                let result = group(async |g| {
                    g.spawn(async move {
                        let _probe = probe;
                        pending::<Result<(), ()>>().await
                    });
                    task::yield_now().await;
                    if true {
                        panic!("expected by the test");
                    }
                    Ok(())
                });
                drop(result.await);
            });
            let error = outer.await.expect_err("it panicked");
            assert!(error.to_string().contains("expected by the test"));
            assert_eq!(drops.get(), 1);
        });
    });
}

#[test]
fn a_panic_of_a_child_is_an_error_of_the_scope() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let result = group(async |g| {
                g.spawn(async {
                    if true {
                        panic!("expected by the test");
                    }
                    Ok::<_, ()>(())
                });
                pending::<Result<(), ()>>().await
            });
            assert!(result.await.expect_err("failed").has_panic());
        });
    });
}

#[test]
fn dropping_it_after_any_number_of_polls_leaves_no_task() {
    on_each(|runtime| {
        let drops = Count::default();
        for polls in 0..6 {
            let _inside = runtime.enter();
            let mut scope = Box::pin(group(async |g| {
                for n in 0..4_usize {
                    let probe = drops.on_drop();
                    g.spawn(async move {
                        let _probe = probe;
                        for _ in 0..n {
                            task::yield_now().await;
                        }
                        pending::<Result<(), ()>>().await
                    });
                    futures_lite_yield().await;
                }
                Ok(())
            }));
            let waker = CountingWaker::new();
            for _ in 0..polls {
                assert!(waker.poll(&mut scope).is_pending());
            }
            drop(scope);
        }
        assert_none_alive(runtime);
        assert_eq!(drops.get(), 1 + 2 + 3 + 4 + 4);
    });
}

/// Pending once, wherever it is polled.
async fn futures_lite_yield() {
    let mut is_first = true;
    std::future::poll_fn(|_| match std::mem::take(&mut is_first) {
        true => std::task::Poll::Pending,
        false => std::task::Poll::Ready(()),
    })
    .await;
}

#[test]
fn an_abort_reaches_groups_nested_three_deep() {
    on_each(|runtime| {
        let drops = Count::default();
        let probe = drops.on_drop();
        let (arrived, arrival) = async_channel::bounded::<()>(1);
        let task = runtime.spawn(async move {
            let outer = group(async |g| {
                g.spawn(async {
                    let middle = group(async |g| {
                        g.spawn(async {
                            let mut inner = TaskGroup::<()>::new();
                            inner.spawn(async move {
                                let _probe = probe;
                                arrived.send(()).await.expect("the test waits");
                                pending::<Result<(), ()>>().await
                            });
                            let bounded = timeout(Duration::from_secs(3600), inner.join());
                            bounded.await.map(drop).map_err(drop)
                        });
                        Ok(())
                    });
                    middle.await.map_err(drop)
                });
                Ok(())
            });
            drop(outer.await);
        });
        runtime.block_on(arrival.recv()).expect("it runs");
        task.abort();
        assert!(runtime.block_on(task).is_err_and(|e| e.is_cancelled()));
        assert_none_alive(runtime);
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn a_timeout_around_a_scope_ends_its_children() {
    on_each(|runtime| {
        let drops = Count::default();
        runtime.block_on(async {
            let probe = drops.on_drop();
            let scope = group(async |g| {
                g.spawn(async move {
                    let _probe = probe;
                    pending::<Result<(), ()>>().await
                });
                Ok(())
            });
            assert!(timeout(Duration::from_millis(1), scope).await.is_err());
        });
        assert_none_alive(runtime);
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn a_scope_may_have_a_limit() {
    on_each(|runtime| {
        runtime.block_on(async {
            let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let result = TaskGroup::with_limit(1).scope(async |g| {
                for n in 0..10 {
                    let order = std::sync::Arc::clone(&order);
                    g.spawn(async move {
                        order.lock().expect("no panic").push(n);
                        task::yield_now().await;
                        order.lock().expect("no panic").push(n);
                        Ok::<_, ()>(())
                    });
                }
                Ok(())
            });
            assert!(result.await.is_ok());
            let expected: Vec<_> = (0..10).flat_map(|n| [n, n]).collect();
            assert_eq!(*order.lock().expect("no panic"), expected);
        });
    });
}
