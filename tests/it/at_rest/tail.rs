//! Damage to the tail of the log, which no unit covers: a compaction does not cover it up.

use std::ops::ControlFlow;

use everfold::error::Detail;
use everfold::storage::Area;

use crate::compacted::by_hand::all_of;
use crate::one_tab::in_browser;

use super::log::{Course, Log, open};
use super::wounds::{Wound, put};

#[test]
fn what_is_damaged_or_missing_in_the_tail_is_not_compacted_away() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 6).await;
        let tail = all_of(&log.compacted, Area::Log).await;
        assert!(1 < tail.len(), "{} records", tail.len());
        for record in &tail {
            for wound in [Wound::Lost, Wound::Unreadable, Wound::Flipped(450)] {
                let place = format!("{wound:?}: {:?}", record.key);
                let mut log = log.copied().await;
                let damaged = match wound {
                    Wound::Flipped(_) => Some(record.value.iter().map(|byte| byte ^ 1).collect()),
                    Wound::Unreadable => Some(Vec::new()),
                    _ => None,
                };
                put(&log.compacted, Area::Log, &record.key, damaged).await;
                let store = open(&browser.beside(&log.compacted), &place).await;
                let error = store.compact(|_| ControlFlow::Continue(())).await.expect_err(&place);
                let Detail::CorruptData { segment, .. } = error.detail() else { panic!("{place}: {error}") };
                assert!(segment.starts_with("log/"), "{place}: {error}");
                let left = all_of(&log.compacted, Area::Log).await;
                let behind = tail.iter().filter(|other| record.key < other.key);
                assert!(behind.into_iter().all(|other| left.contains(other)), "{place}: {left:?}");
                put(&log.compacted, Area::Log, &record.key, Some(record.value.clone())).await;
                log.check(&browser, Course::Read, &place).await;
            }
        }
    });
}
