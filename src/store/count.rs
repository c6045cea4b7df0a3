//! Counting events, a stretch of the log at a time.

use std::rc::Rc;

use crate::codec::{Body, DecodedRecord, Entry};
use crate::error::Error;
use crate::event::{Position, UnixMillis, category_of};
use crate::host::Host;
use crate::index::Index;
use crate::index::plan::{Stretch, plan_all};
use crate::sort::sort_numbers;
use crate::storage::{Direction, Storage};
use crate::table::{Table, hash_of};

use super::scan::Scan;
use super::{Count, CountBy, CountPage, Shared};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn count(&self, count: &Count) -> Result<CountPage, Error> {
        let as_of = self.state_to_read(count.as_of).await?;
        let first = Position(count.after.0.saturating_add(1));
        let stretch = Stretch { first, last: as_of, direction: Direction::Forwards };
        let mut plan_page = |index: &Index| plan_all(index, &count.query, stretch);
        let (plan, records) = self.fetch_planned(&mut plan_page).await?;
        let scan = Scan { query: &count.query, since: count.since, until: count.until, stretch, as_of };
        let counts = count_entries(&self.index.borrow(), &records, &scan, count.by);
        Ok(CountPage { counts, next: plan.next.map(Position), as_of })
    }
}

/// Counts what a scan sees of records, by keys in their order.
#[inline(never)]
fn count_entries(
    index: &Index,
    records: &[Rc<DecodedRecord>],
    scan: &Scan<'_>,
    by: CountBy,
) -> Vec<(String, u64)> {
    let mut counts = Table::default();
    for record in records {
        for entry in record.entries() {
            if scan.sees(index, &entry) {
                count_one(&mut counts, by, &entry);
            }
        }
    }
    let mut counts = counts.into_rows();
    let mut numbers: Vec<u32> = (0..counts.len() as u32).collect();
    let key = |number: u32| counts.get(number as usize).map(|(key, _)| key.as_str());
    sort_numbers(&mut numbers, &|one, other| key(one) < key(other));
    numbers.iter().filter_map(|number| counts.get_mut(*number as usize).map(std::mem::take)).collect()
}

fn count_one(counts: &mut Table<(String, u64)>, by: CountBy, entry: &Entry<'_>) {
    let day;
    let key = match by {
        CountBy::Nothing => "",
        CountBy::Type => match &entry.body {
            Body::Event { event_type, .. } => event_type,
            Body::Fact(fact) => fact.type_name(),
        },
        CountBy::Category => category_of(entry.stream),
        CountBy::Stream => entry.stream,
        CountBy::Day => {
            day = day_of(entry.time);
            &day
        }
    };
    let hash = hash_of(key.as_bytes());
    let number = counts.find(hash, |(other, _)| other == key);
    match number.and_then(|number| counts.row_mut(number)) {
        Some((_, count)) => *count += 1,
        None => counts.push(hash, (key.to_owned(), 1)),
    }
}

/// The day of a moment in UTC, as ISO 8601 has it.
///
/// The conversion is Howard Hinnant's `civil_from_days` (chrono-Compatible Low-Level Date Algorithms): years
/// are counted from March, so that the leap day comes last.
fn day_of(time: UnixMillis) -> String {
    let days_since_march_0000 = time.0.div_euclid(DAY_MS) + 719_468;
    let era = days_since_march_0000.div_euclid(146_097);
    let day_of_era = days_since_march_0000.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    match year {
        0..=9_999 => format!("{year:04}-{month:02}-{day:02}"),
        // ISO 8601 writes other years with a sign and six digits.
        _ => format!("{year:+07}-{month:02}-{day:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(time_ms: i64, expected: &str) {
        assert_eq!(day_of(UnixMillis(time_ms)), expected);
    }

    #[test]
    fn a_day_is_that_of_utc() {
        check(0, "1970-01-01");
        check(-1, "1969-12-31");
        check(951_782_400_000, "2000-02-29");
        check(951_868_799_999, "2000-02-29");
        check(951_868_800_000, "2000-03-01");
        check(4_107_542_399_999, "2100-02-28");
        check(4_107_542_400_000, "2100-03-01");
        check(253_402_300_800_000, "+010000-01-01");
        check(-62_167_219_200_001, "-000001-12-31");
    }
}
