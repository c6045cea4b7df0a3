//! Counting events, a stretch of the log at a time.

use crate::codec::{Body, Entry};
use crate::error::Error;
use crate::event::{Position, UnixMillis, category_of};
use crate::host::Host;
use crate::index::plan::Stretch;
use crate::sort::sort_numbers;
use crate::storage::{Direction, Storage};
use crate::table::{Table, hash_of};

use super::catch_up::Slice;
use super::portion::{Asking, Portion};
use super::scan::Scan;
use super::tally::{Tallied, Tallying, tally};
use super::view::{Stop, View};
use super::{Count, CountBy, CountPage, Shared};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn count(&self, count: &Count) -> Result<CountPage, Error> {
        let as_of = self.state_to_read(count.as_of).await?;
        let first = Position(count.after.0.saturating_add(1));
        let stretch = Stretch { first, last: as_of, direction: Direction::Forwards };
        let asking = Asking { query: &count.query, since: count.since, until: count.until, stretch };
        let (mut tallying, mut slice) = (Tallying::default(), Slice::begin(&self.host));
        loop {
            let mut counted = None;
            self.look(&mut |view| {
                counted = count_portion(view, &asking, as_of, count.by, &mut tallying)?;
                Ok(())
            })
            .await?;
            if let Some((counts, next)) = counted {
                return Ok(CountPage { counts, next, as_of });
            }
            slice.yield_when_over(&self.host).await;
        }
    }
}

/// How many there are of each key, and where what follows begins.
pub(super) type Counted = (Vec<(String, u64)>, Option<Position>);

/// Counts what a scan sees of the next portion, by keys in their order. `None` where the tally has to go on.
#[inline(never)]
fn count_portion(
    view: &mut View<'_>,
    asking: &Asking<'_>,
    as_of: Position,
    by: CountBy,
    tallying: &mut Tallying,
) -> Result<Option<Counted>, Stop> {
    match tally(view, asking, by, tallying)? {
        Tallied::All(counted) => return Ok(Some(counted)),
        Tallied::Part => return Ok(None),
        Tallied::Nothing => {}
    }
    let portion = Portion::of(view, asking)?;
    let scan = Scan::new(*asking, as_of);
    let mut counts = Counts::default();
    for record in portion.groups.iter().flat_map(|group| &group.records) {
        for entry in record.entries() {
            if scan.sees(view, &entry) {
                counts.add_entry(by, &entry);
            }
        }
    }
    view.check()?;
    Ok(Some((counts.in_order(), portion.next.map(Position))))
}

/// How many there are of each key.
#[derive(Default)]
pub(super) struct Counts {
    rows: Table<(String, u64)>,
}

impl Counts {
    /// Adds to what there is of a key.
    pub fn add(&mut self, key: &str, count: u64) {
        if count == 0 {
            return;
        }
        let hash = hash_of(key.as_bytes());
        let number = self.rows.find(hash, |(other, _)| other == key);
        match number.and_then(|number| self.rows.row_mut(number)) {
            Some((_, sum)) => *sum = sum.saturating_add(count),
            None => self.rows.push(hash, (key.to_owned(), count)),
        }
    }

    fn add_entry(&mut self, by: CountBy, entry: &Entry<'_>) {
        match by {
            CountBy::Nothing => self.add("", 1),
            CountBy::Type => match &entry.body {
                Body::Event { event_type, .. } => self.add(event_type, 1),
                Body::Fact(fact) => self.add(fact.type_name(), 1),
            },
            CountBy::Category => self.add(category_of(entry.stream), 1),
            CountBy::Stream => self.add(entry.stream, 1),
            CountBy::Day => self.add(&day_of(entry.time), 1),
        }
    }

    /// All of them, in the order of the keys.
    pub fn in_order(self) -> Vec<(String, u64)> {
        let mut rows = self.rows.into_rows();
        let mut numbers: Vec<u32> = (0..rows.len() as u32).collect();
        let key = |number: u32| rows.get(number as usize).map(|(key, _)| key.as_str());
        sort_numbers(&mut numbers, &|one, other| key(one) < key(other));
        numbers.iter().filter_map(|number| rows.get_mut(*number as usize).map(std::mem::take)).collect()
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
