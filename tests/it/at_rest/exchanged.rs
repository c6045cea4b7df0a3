//! Records of a compacted log that stand under another's key: none is taken for what it is not.

use everfold::layout::keys::{ROOT, UnitRecord};
use everfold::storage::{Area, Key, Record};

use crate::one_tab::{Browser, in_browser};

use super::blocks::check_streams;
use super::log::{Answers, Log, open};
use super::wounds::{named, put};

type Stored = (Area, Record);

/// What becomes of two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Swap {
    /// The bytes of the second stand in the place of the first too.
    Copied,
    /// Each has the bytes of the other.
    Exchanged,
}

async fn check(browser: &Browser, log: &Log, one: &Stored, other: &Stored, swap: Swap) {
    let log = log.copied().await;
    let of = |(area, record): &Stored| named(*area, &record.key);
    let place = match swap {
        Swap::Copied => format!("{} for {}", of(other), of(one)),
        Swap::Exchanged => format!("{} and {} exchanged", of(one), of(other)),
    };
    let changed = match swap {
        Swap::Copied => vec![(one, other)],
        Swap::Exchanged => vec![(one, other), (other, one)],
    };
    for ((area, record), (_, given)) in &changed {
        put(&log.compacted, *area, &record.key, Some(given.value.clone())).await;
    }
    let changed: Vec<&Stored> = changed.into_iter().map(|(changed, _)| changed).collect();
    let original = log.original(browser).await;
    let store = open(&browser.beside(&log.compacted), &place).await;
    if changed.iter().any(|stored| is_block(stored)) {
        let whole_count = check_streams(&store, &original, &place).await;
        // Where the directory is made again, the block may be all that is known of a unit, and then hold any stream.
        let is_directory_whole = changed.iter().all(|(area, _)| *area == Area::Units);
        assert!(0 < whole_count || !is_directory_whole, "{place}: no stream can be read");
    } else if let Err(error) = Answers::of(&store, &log.commits).await
        && changed.iter().any(|stored| is_remains(stored))
    {
        // The directory lost a page, and with what remains of erased events that of which it is made again.
        assert_eq!(error.code(), "CORRUPT_DATA", "{place}: {error}");
    } else {
        log.check_answers(&store, &original, &place).await;
    }
    store.close().await;
}

fn is_block((_, record): &Stored) -> bool {
    matches!(UnitRecord::of(&record.key), Some((_, UnitRecord::Block(_))))
}

fn is_remains((_, record): &Stored) -> bool {
    matches!(UnitRecord::of(&record.key), Some((_, UnitRecord::Remains(_))))
}

/// The letter of its magic.
fn kind((_, record): &Stored) -> u8 {
    record.value[2]
}

/// All derived records but the root, which stands alone under its key.
async fn keyed(log: &Log) -> Vec<Stored> {
    let mut records = log.derived().await;
    records.retain(|(_, record)| record.key != Key::text(ROOT));
    records
}

#[test]
fn records_under_the_key_of_another_are_never_believed() {
    in_browser(|browser| async move {
        let log = Log::of(&browser, 8).await;
        let records = keyed(&log).await;
        let (mut alike_count, mut other_count) = (0, 0);
        for (place, one) in records.iter().enumerate() {
            for other in &records[place + 1..] {
                if kind(one) == kind(other) {
                    alike_count += 1;
                    check(&browser, &log, one, other, Swap::Exchanged).await;
                    let (one, other) = if alike_count % 2 == 0 { (one, other) } else { (other, one) };
                    check(&browser, &log, one, other, Swap::Copied).await;
                } else {
                    other_count += 1;
                    if other_count % 16 == 0 {
                        check(&browser, &log, one, other, Swap::Exchanged).await;
                    }
                }
            }
        }
        println!("{} records, {alike_count} pairs alike, {other_count} others", records.len());
        assert!(60 < alike_count, "only {alike_count}");
    });
}
