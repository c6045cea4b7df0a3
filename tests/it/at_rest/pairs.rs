//! Damage to the root and to one other record.

use everfold::layout::keys::ROOT;
use everfold::storage::{Area, Key};

use crate::one_tab::in_browser;

use super::derived::derived_keys;
use super::log::{Course, Log};
use super::wounds::{Wound, named};

#[test]
fn whatever_becomes_of_the_root_and_another_derived_record_everything_is_answered_as_before() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 2).await;
        let root = Key::text(ROOT);
        for (area, key) in derived_keys(&log).await {
            for (of_root, wound) in [
                (Wound::Lost, Wound::Flipped(450)),
                (Wound::Stale, Wound::Lost),
                (Wound::Flipped(999), Wound::Stale),
                (Wound::Unreadable, Wound::Unreadable),
            ] {
                let mut log = log.copied().await;
                if key != root && wound.inflict(&log, area, &key).await {
                    assert!(of_root.inflict(&log, Area::Index, &root).await);
                    let place = format!("{of_root:?}: the root, {wound:?}: {}", named(area, &key));
                    log.check(&browser, Course::Read, &place).await;
                }
            }
        }
    });
}
