//! The simulation is deterministic, and says where it is stuck.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use everfold::testing::executor::{Executor, StuckReason, TabId};

#[derive(Debug, PartialEq, Eq)]
struct Run {
    trace: Vec<String>,
    fingerprint: u64,
}

/// Two tabs of three tasks each that yield and sleep, and one crash.
fn run(seed: u64) -> Run {
    let executor = Executor::new(seed);
    let trace = Rc::new(RefCell::new(Vec::new()));
    for task in 0..6_u32 {
        let (scheduler, trace) = (executor.scheduler(), Rc::clone(&trace));
        let tab = TabId(task % 2 + 1);
        executor.scheduler().spawn(tab, async move {
            let mut prng = scheduler.fork_prng();
            for round in 0..5 {
                scheduler.yield_now().await;
                trace.borrow_mut().push(format!("{task}.{round} at {}", scheduler.now_ms()));
                scheduler.sleep(prng.below(10)).await;
            }
        });
    }
    let scheduler = executor.scheduler();
    let crash = async {
        scheduler.sleep(12).await;
        scheduler.crash(TabId(1));
        scheduler.sleep(1_000).await;
    };
    executor.run_until(crash).unwrap();
    Run { trace: trace.take(), fingerprint: executor.fingerprint() }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..100 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}

#[test]
fn other_seeds_give_other_traces() {
    let traces: BTreeSet<_> = (0..100).map(|seed| run(seed).trace).collect();
    assert!(95 < traces.len(), "only {} traces of 100 seeds", traces.len());
}

#[test]
fn a_crash_ends_all_tasks_of_a_tab_and_no_others() {
    for seed in 0..100 {
        let executor = Executor::new(seed);
        let scheduler = executor.scheduler();
        let log = Rc::new(RefCell::new(Vec::new()));
        for tab in [TabId(1), TabId(1), TabId(2)] {
            let (scheduler, log) = (scheduler.clone(), Rc::clone(&log));
            executor.scheduler().spawn(tab, async move {
                loop {
                    scheduler.sleep(1).await;
                    log.borrow_mut().push((tab, scheduler.now_ms()));
                }
            });
        }
        let main = async {
            scheduler.sleep(10).await;
            scheduler.crash(TabId(1));
            let crashed_at = log.borrow().len();
            scheduler.sleep(10).await;
            let after: Vec<_> = log.borrow()[crashed_at..].iter().map(|(tab, _)| *tab).collect();
            assert!(9 <= after.len() && after.iter().all(|tab| *tab == TabId(2)), "seed {seed}: {after:?}");
        };
        executor.run_until(main).unwrap();
    }
}

#[test]
fn sleepers_wake_in_the_order_of_their_times_and_no_earlier() {
    for seed in 0..50 {
        let executor = Executor::new(seed);
        let woken = Rc::new(RefCell::new(Vec::new()));
        for duration_ms in [30, 10, 20, 10, 0] {
            let (scheduler, woken) = (executor.scheduler(), Rc::clone(&woken));
            executor.scheduler().spawn(TabId(1), async move {
                scheduler.sleep(duration_ms).await;
                woken.borrow_mut().push((duration_ms, scheduler.now_ms()));
            });
        }
        executor.run_until(executor.scheduler().sleep(100)).unwrap();
        assert_eq!(*woken.borrow(), [(0, 0), (10, 10), (10, 10), (20, 20), (30, 30)], "seed {seed}");
    }
}

#[test]
fn a_deadlock_is_reported_with_its_seed_and_its_tabs() {
    let executor = Executor::new(77);
    executor.scheduler().spawn(TabId(3), std::future::pending());
    let stuck = executor.run_until(std::future::pending::<()>()).unwrap_err();
    assert_eq!((stuck.seed, stuck.reason.clone()), (77, StuckReason::Deadlock(vec![TabId(3)])));
    assert!(stuck.to_string().starts_with("seed 77: "), "{stuck}");
}
