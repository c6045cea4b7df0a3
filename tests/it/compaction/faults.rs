//! Every point at which a storage can fail in a compaction.

use everfold::error::Detail;
use everfold::testing::faulty_storage::{Fault, Target};
use everfold::testing::prng::Prng;

use crate::layout::lived::Shape;
use crate::one_tab::in_browser;

use super::laid::{compact, history, lay, on_demand};
use super::stored::Stored;

const SHAPE: Shape = Shape {
    commit_count: 30,
    commit_entries_max: 3,
    stream_count: 7,
    facts_permille: 100,
    large_permille: 0,
};

/// Compacts a log whose older half is compacted, with a fault after so many operations. `false` where there are not
/// so many.
fn strike(fault: Fault, spared: u64) -> bool {
    let place = format!("{fault:?} after {spared}");
    let is_struck = std::rc::Rc::new(std::cell::Cell::new(false));
    let seen = std::rc::Rc::clone(&is_struck);
    in_browser(|browser| async move {
        let commits = history(&mut Prng::new(3), SHAPE);
        let (older, newer) = commits.split_at(commits.len() / 2);
        let store = browser.open_with(on_demand(20)).await.unwrap();
        lay(&browser.storage, older, 2).await;
        compact(&store).await.unwrap();
        lay(&browser.storage, newer, 2).await;

        browser.faults.arm(Target::Every, spared, fault);
        let result = compact(&store).await;
        seen.set(browser.faults.struck() == 1);
        browser.faults.disarm();
        if let Err(error) = result {
            let expected = match fault {
                Fault::NoRoom => matches!(error.detail(), Detail::QuotaExceeded { .. }),
                _ => matches!(error.detail(), Detail::StorageFailed { .. }),
            };
            assert!(expected, "{place}: {error}");
        }
        Stored::read(&browser.storage).await.check(&commits);

        compact(&store).await.unwrap_or_else(|error| panic!("{place}: {error}"));
        let after = Stored::read(&browser.storage).await;
        assert_eq!(after.check(&commits), 0, "{place}");
        assert!(after.orphans.is_empty() && after.log.is_empty(), "{place}: {:?}", after.orphans);
    });
    is_struck.get()
}

#[test]
fn whatever_fails_wherever_it_fails_nothing_is_lost_and_the_next_one_ends() {
    for fault in Fault::ALL {
        let mut point_count = 0;
        while strike(fault, point_count) {
            point_count += 1;
            assert!(point_count < 1_000, "{fault:?} never misses the compaction");
        }
        assert!(30 < point_count, "{fault:?} met only {point_count} operations");
    }
}
