//! Counts that the directory holds already: of units as a whole, without their blocks.

use std::ops::ControlFlow;
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

/// So many names are counted in one look: there may be hundreds of thousands, and the page has to breathe.
const NAMES_AT_ONCE: usize = 4_096;

/// What a tally came to.
pub(super) enum Tallied {
    /// Nothing: blocks have to be read.
    Nothing,
    /// There are more names. It goes on with the next look.
    Part,
    All(Counted),
}

/// How far a tally of all names of a kind has come, from look to look.
#[derive(Default)]
pub(super) struct Tallying {
    /// The layout in which it was counted. In another one it begins anew.
    layout: u64,
    counts: Counts,
    /// Where the next name comes. Empty at the beginning.
    start: Vec<u8>,
}

/// Counts what units that lie wholly in the stretch hold. Nothing where blocks have to be read: where the stretch begins
/// inside a unit, events are hidden, the directory does not know all, or the query asks for more than one key says.
#[inline(never)]
pub(super) fn tally(
    view: &mut View<'_>,
    asking: &Asking<'_>,
    by: CountBy,
    tallying: &mut Tallying,
) -> Result<Tallied, Stop> {
    let root = view.root;
    let units = whole_units(&root.units, asking);
    let is_untold = view.index.has_hidden() || !root.unread.is_empty();
    let (Some(last), false, Some(counting)) = (units.last(), is_untold, counting(asking.query)) else {
        return Ok(Tallied::Nothing);
    };
    let mut counts = Counts::default();
    match (counting, by) {
        (Counting::Everything, CountBy::Nothing) => {
            counts.add("", units.iter().map(|unit| unit.entry_count).fold(0, u64::saturating_add));
        }
        (Counting::Everything, CountBy::Type | CountBy::Category) => {
            let kind = if by == CountBy::Type { Kind::Type } else { Kind::Category };
            if tallying.add_names(view, kind, units)?.is_continue() {
                return Ok(Tallied::Part);
            }
            counts = std::mem::take(tallying).counts;
        }
        (Counting::OfKey(kind, name), by) => {
            let counted_as = match (kind, by) {
                (_, CountBy::Nothing) => "",
                (Kind::Type, CountBy::Type)
                | (Kind::Category, CountBy::Category)
                | (Kind::Stream, CountBy::Stream) => &name,
                _ => return Ok(Tallied::Nothing),
            };
            let summary = view.look_up(&key(kind, &name))?;
            counts.add(counted_as, summary.map_or(0, |summary| count_in(&summary, units)));
        }
        _ => return Ok(Tallied::Nothing),
    }
    let next = (last.last < asking.stretch.last).then_some(last.last);
    Ok(Tallied::All((counts.in_order(), next)))
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

impl Tallying {
    /// Adds what the next names of a kind count. `Break` where those were the last. A look that has to wait goes on
    /// where it was, so that each name is looked at once.
    fn add_names(
        &mut self,
        view: &mut View<'_>,
        kind: Kind,
        units: &[UnitInfo],
    ) -> Result<ControlFlow<()>, Stop> {
        let (layout, prefix) = (view.root.layout, [kind.byte()]);
        if self.layout != layout || self.start.is_empty() {
            *self = Self { layout, counts: Counts::default(), start: prefix.to_vec() };
        }
        let mut listing = Listing::from(view, &prefix, &self.start)?;
        for _ in 0..NAMES_AT_ONCE {
            let Some((key, summary)) = listing.take(view)? else { return Ok(ControlFlow::Break(())) };
            let name = key.get(1..).and_then(|name| std::str::from_utf8(name).ok());
            self.counts.add(name.unwrap_or_default(), count_in(&summary, units));
            self.start = key;
            // The first key after it.
            self.start.push(0);
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// How many events of a key stand in these units.
fn count_in(summary: &Summary, units: &[UnitInfo]) -> u64 {
    let is_there = |number| units.iter().any(|unit| unit.number == number);
    match summary {
        Summary::Posting(posting) => {
            let there = posting.units.iter().filter(|unit| is_there(unit.unit));
            there.map(|unit| unit.event_count).fold(0, u64::saturating_add)
        }
        Summary::Stream(stream) => {
            let there = stream.runs.iter().filter(|run| is_there(run.address.unit));
            there.map(|run| u64::from(run.count)).fold(0, u64::saturating_add)
        }
    }
}
