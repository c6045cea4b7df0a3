//! Damage to a record of which everything can be found out again.

use std::collections::BTreeSet;

use everfold::layout::keys::ROOT;
use everfold::storage::{Area, Key};

use crate::one_tab::in_browser;

use super::log::{Course, Log};
use super::wounds::{Wound, is_derived, named};

/// The keys of all derived records, those of now and those of before the last compaction.
pub async fn derived_keys(log: &Log) -> BTreeSet<(Area, Key)> {
    let now = log.derived().await;
    let keys = now.iter().chain(&log.older).map(|(area, record)| (*area, record.key.clone()));
    keys.filter(|(area, key)| is_derived(*area, key)).collect()
}

#[test]
fn whatever_becomes_of_a_derived_record_everything_is_answered_as_before() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 1).await;
        let keys = derived_keys(&log).await;
        let mut inflicted_count = 0;
        for (area, key) in keys {
            for (number, wound) in Wound::ALL.into_iter().enumerate() {
                let course = Course::ALL[(inflicted_count + number) % 3];
                let place = format!("{course:?}: {wound:?}: {}", named(area, &key));
                let mut log = log.copied().await;
                if wound.inflict(&log, area, &key).await {
                    inflicted_count += 1;
                    log.check(&browser, course, &place).await;
                }
            }
        }
        println!("{inflicted_count} wounds");
        assert!(60 < inflicted_count, "only {inflicted_count}");
    });
}

#[test]
fn a_root_may_be_lost_again_and_again() {
    in_browser(|browser| async move {
        let mut log = Log::of(&browser, 7).await;
        for round in 0..6 {
            assert!(Wound::Lost.inflict(&log, Area::Index, &Key::text(ROOT)).await);
            log.check(&browser, Course::ALL[round % 3], &format!("for the {round}. time")).await;
        }
    });
}
