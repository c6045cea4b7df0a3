//! Counts that the directory holds already: of units as a whole, without their blocks.

use std::rc::Rc;

use crate::index::plan::Stretch;
use crate::layout::directory::{Kind, Summary, key};
use crate::layout::unit::UnitInfo;
use crate::query::{Query, QueryItem};

use super::CountBy;
use super::count::{Counted, Counts};
use super::listing::Listing;
use super::portion::Asking;
use super::view::{Stop, View};

/// What is counted, where it is what one key says, or everything.
enum Counting {
    Everything,
    OfKey(Kind, String),
}

/// Counts what units that lie wholly in the stretch hold. `None` where blocks have to be read: where the stretch begins
/// inside a unit, events are hidden, the directory does not know all, or the query asks for more than one key says.
#[inline(never)]
pub(super) fn tally(view: &mut View<'_>, asking: &Asking<'_>, by: CountBy) -> Result<Option<Counted>, Stop> {
    let root = view.root;
    let units = whole_units(&root.units, asking);
    let is_untold = view.index.has_hidden() || !root.unread.is_empty();
    let (Some(last), false, Some(counting)) = (units.last(), is_untold, counting(asking.query)) else {
        return Ok(None);
    };
    let mut counts = Counts::default();
    match (counting, by) {
        (Counting::Everything, CountBy::Nothing) => {
            counts.add("", units.iter().map(|unit| unit.entry_count).sum());
        }
        (Counting::Everything, CountBy::Type) => add_all(view, &mut counts, Kind::Type, units)?,
        (Counting::Everything, CountBy::Category) => add_all(view, &mut counts, Kind::Category, units)?,
        (Counting::OfKey(kind, name), by) => {
            let counted_as = match (kind, by) {
                (_, CountBy::Nothing) => "",
                (Kind::Type, CountBy::Type)
                | (Kind::Category, CountBy::Category)
                | (Kind::Stream, CountBy::Stream) => &name,
                _ => return Ok(None),
            };
            let summary = view.look_up(&key(kind, &name))?;
            counts.add(counted_as, summary.map_or(0, |summary| count_in(&summary, units)));
        }
        _ => return Ok(None),
    }
    let next = (last.last < asking.stretch.last).then_some(last.last);
    Ok(Some((counts.in_order(), next)))
}

/// The units with which the stretch begins, as far as they lie in it, and in the times that are asked for.
fn whole_units<'a>(units: &'a [UnitInfo], asking: &Asking<'_>) -> &'a [UnitInfo] {
    let Stretch { first, last, .. } = asking.stretch;
    let start = units.partition_point(|unit| unit.last < first);
    let rest = units.get(start..).unwrap_or_default();
    let mut next = first;
    let is_whole = |unit: &&UnitInfo| {
        let is_in_time = unit.times.is_none_or(|times| {
            asking.since.is_none_or(|since| since <= times.min)
                && asking.until.is_none_or(|until| times.max < until)
        });
        let is_next = unit.first == next;
        next = unit.last.next();
        is_next && unit.last <= last && is_in_time
    };
    rest.get(..rest.iter().take_while(is_whole).count()).unwrap_or_default()
}

fn counting(query: &Query) -> Option<Counting> {
    let [QueryItem { types, tags, streams, categories }] = query.items() else { return None };
    let of = |kind, name: &Rc<str>| Some(Counting::OfKey(kind, name.to_string()));
    match (types.as_deref(), tags.as_deref(), streams.as_deref(), categories.as_deref()) {
        (None, None, None, None) => Some(Counting::Everything),
        (Some([name]), None, None, None) => of(Kind::Type, name),
        (None, Some([tag]), None, None) => of(Kind::Tag, tag),
        (None, None, Some([name]), None) => of(Kind::Stream, name),
        (None, None, None, Some([name])) => of(Kind::Category, name),
        _ => None,
    }
}

/// Adds what every name of a kind counts.
fn add_all(view: &mut View<'_>, counts: &mut Counts, kind: Kind, units: &[UnitInfo]) -> Result<(), Stop> {
    let prefix = [kind.byte()];
    let mut listing = Listing::from(view, &prefix, &prefix)?;
    while let Some((key, summary)) = listing.take(view)? {
        let name = key.get(1..).and_then(|name| std::str::from_utf8(name).ok());
        counts.add(name.unwrap_or_default(), count_in(&summary, units));
    }
    Ok(())
}

/// How many events of a key stand in these units.
fn count_in(summary: &Summary, units: &[UnitInfo]) -> u64 {
    let is_there = |number| units.iter().any(|unit| unit.number == number);
    match summary {
        Summary::Posting(posting) => {
            let there = posting.units.iter().filter(|unit| is_there(unit.unit));
            there.map(|unit| unit.event_count).sum()
        }
        Summary::Stream(stream) => {
            let there = stream.runs.iter().filter(|run| is_there(run.address.unit));
            there.map(|run| u64::from(run.count)).sum()
        }
    }
}
