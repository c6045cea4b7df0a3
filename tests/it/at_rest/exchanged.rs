//! Records of a compacted log that stand under another's key: none is taken for what it is not.

use everfold::layout::keys::{ROOT, UnitRecord};
use everfold::storage::{Area, Key, Record};

use crate::one_tab::{Browser, in_browser};

use super::blocks::check_streams;
use super::log::{Answers, Log, open};
use super::wounds::{named, put};

type Stored = (Area, Record);

/// Puts the bytes of the second record in the place of the first, and the other way round if they are exchanged.
async fn check(browser: &Browser, log: &Log, one: &Stored, other: &Stored, is_exchange: bool) {
    let log = log.copied().await;
    let of = |(area, record): &Stored| named(*area, &record.key);
    let place = match is_exchange {
        true => format!("{} and {} exchanged", of(one), of(other)),
        false => format!("{} for {}", of(other), of(one)),
    };
    put(&log.compacted, one.0, &one.1.key, Some(other.1.value.clone())).await;
    if is_exchange {
        put(&log.compacted, other.0, &other.1.key, Some(one.1.value.clone())).await;
    }
    let original = log.original(browser).await;
    let store = open(&browser.beside(&log.compacted), &place).await;
    let changed = if is_exchange { vec![one, other] } else { vec![one] };
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
                    check(&browser, &log, one, other, true).await;
                    let (one, other) = if alike_count % 2 == 0 { (one, other) } else { (other, one) };
                    check(&browser, &log, one, other, false).await;
                } else {
                    other_count += 1;
                    if other_count % 16 == 0 {
                        check(&browser, &log, one, other, true).await;
                    }
                }
            }
        }
        println!("{} records, {alike_count} pairs alike, {other_count} others", records.len());
        assert!(60 < alike_count, "only {alike_count}");
    });
}
