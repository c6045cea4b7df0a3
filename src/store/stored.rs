//! The whole log in the order in which it is stored: unit after unit, block after block, then the tail.
//!
//! The events of one stream come in their order, those of different streams as they happen to stand. So nothing has
//! to be brought back into the order of the log.

use std::ops::Range;
use std::rc::Rc;

use crate::codec::{DecodedRecord, EventNumbers};
use crate::error::Error;
use crate::event::{Position, Revision, category_of};
use crate::host::Host;
use crate::index::plan::{Plan, Source, Stretch, plan_tail};
use crate::layout::{BlockAddress, BlockIndex};
use crate::query::{Query, QueryItem};
use crate::storage::{Direction, Storage};

use super::cache::Keep;
use super::candidates::Candidates;
use super::portion::{Asking, check_gaps};
use super::read::page_of_all;
use super::scan::Scan;
use super::view::{Stop, View};
use super::{EventPage, Shared};

/// So many blocks make a page: their bodies come to no more than a page of the log may have.
const PAGE_BLOCKS_MAX: usize = 5;

/// One page of the log in the order in which it is stored is asked for. To go on, ask again with
/// [`StoredPage::next`] as `place`, and with the same [`EventPage::as_of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRead {
    /// The category of the streams that are wanted; `None` for all streams.
    pub category: Option<Rc<str>>,
    /// Where the page begins.
    pub place: StoredPlace,
    /// The state of the log to read; `None` for now.
    pub as_of: Option<Position>,
}

/// A page in the order in which the log is stored.
#[derive(Debug, Clone)]
pub struct StoredPage {
    /// The events. Where the log was compacted since the page before, some may have been on that page already.
    pub page: EventPage,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<StoredPlace>,
}

/// Where something in stored order begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoredPlace {
    /// Everything up to this position stands before it.
    pub after: Position,
    /// The block with which it begins, of the unit that follows that position. Where there is no such unit any more,
    /// it begins right after the position.
    pub block: Option<BlockAddress>,
}

/// A walk in stored order: what it is to see.
pub(super) struct StoredWalk {
    query: Query,
    category: Option<Rc<str>>,
    as_of: Position,
}

/// What a walk comes to next.
pub(super) struct StoredPortion {
    pub records: Vec<(Rc<DecodedRecord>, Vec<VisibleRun>)>,
    /// Where what follows begins.
    pub next: Option<StoredPlace>,
    /// About how far that is, as a position: in a unit positions do not stand in their order.
    pub done: Position,
}

/// Entries of a record that stand side by side and are of one stream, which is wanted.
#[derive(Clone)]
pub(super) struct VisibleRun {
    places: Range<usize>,
    /// The first revision that is seen.
    from: Revision,
}

/// Where a portion is to be read.
struct StoredPlan {
    plan: Plan,
    next: Option<StoredPlace>,
    done: Position,
}

impl<S: Storage, H: Host> Shared<S, H> {
    pub(super) async fn read_stored(&self, read: &StoredRead) -> Result<StoredPage, Error> {
        if read.as_of.is_none() {
            self.early.take();
            self.read_stored_early(
                &StoredWalk::new(read.category.clone(), self.head_position())?,
                read.place,
            );
        }
        let as_of = self.state_to_read(read.as_of).await?;
        let walk = StoredWalk::new(read.category.clone(), as_of)?;
        let mut stored = StoredPage { page: EventPage::empty(as_of), next: None };
        let keep = match read.place {
            StoredPlace { block: None, after: Position::START } => self.begin_walk(),
            _ => self.cache.borrow().keep_of_walk(),
        };
        self.look_and(keep, &mut |view| {
            stored = walk.page(view, read.place)?;
            Ok(())
        })
        .await?;
        if let Some(next) = stored.next {
            self.read_stored_early(&walk, next);
        }
        Ok(stored)
    }

    /// A walk through everything begins.
    pub(super) fn begin_walk(&self) -> Keep {
        let block_count = self.root().units.iter().map(|unit| u64::from(unit.block_count)).sum();
        self.cache.borrow_mut().begin_walk(block_count)
    }

    fn read_stored_early(&self, walk: &StoredWalk, place: StoredPlace) {
        self.begin_early(&mut |view| walk.look_ahead(view, place, PAGE_BLOCKS_MAX, 1));
    }

    pub(super) fn head_position(&self) -> Position {
        self.index.borrow().head().position
    }
}

impl StoredWalk {
    /// A walk through all streams, or those of a category, in the state as of a position. Errors: `LIMIT_EXCEEDED`.
    pub fn new(category: Option<Rc<str>>, as_of: Position) -> Result<Self, Error> {
        let categories = category.clone().map(|category| vec![category]);
        let query = Query::new(vec![QueryItem { categories, ..QueryItem::default() }])?;
        Ok(Self { query, category, as_of })
    }

    /// What begins at a place, of so many blocks at most. Errors: `CORRUPT_DATA` where something of it cannot be read.
    #[inline(never)]
    pub fn portion(
        &self,
        view: &mut View<'_>,
        place: StoredPlace,
        block_count_max: usize,
    ) -> Result<StoredPortion, Stop> {
        let StoredPlan { plan, next, done } = self.plan(view, place, block_count_max)?;
        let mut records = Vec::new();
        for record in view.planned(&plan)? {
            let runs = self.runs_of(view, &record)?;
            records.push((record, runs));
        }
        view.check()?;
        Ok(StoredPortion { records, next, done })
    }

    /// Looks at what says where a portion is read from, and at nothing of it.
    pub fn look_at_plan(
        &self,
        view: &mut View<'_>,
        place: StoredPlace,
        block_count_max: usize,
    ) -> Result<(), Stop> {
        self.plan(view, place, block_count_max)?;
        view.check()
    }

    /// Looks at what so many portions from a place on are read from, so that what is missing of all of them is noted.
    pub fn look_ahead(
        &self,
        view: &mut View<'_>,
        place: StoredPlace,
        block_count_max: usize,
        portion_count: usize,
    ) -> Result<(), Stop> {
        // Plans fail where something is missing: so all are made before anything of them is looked at.
        let mut plans = Vec::with_capacity(portion_count);
        let mut next = Some(place);
        while let Some(place) = next.filter(|_| plans.len() < portion_count) {
            let planned = self.plan(view, place, block_count_max)?;
            next = planned.next;
            plans.push(planned.plan);
        }
        for plan in &plans {
            match view.planned(plan) {
                Ok(_) | Err(Stop::Pending) => {}
                Err(stop) => return Err(stop),
            }
        }
        view.check()
    }

    /// The events of a run that are seen, by their places in the record.
    pub fn visible<'a>(
        &'a self,
        record: &'a DecodedRecord,
        run: &VisibleRun,
        after: Position,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let from = run.from;
        run.places.clone().filter(move |place| {
            record.numbers(*place).is_some_and(|EventNumbers { position, revision, .. }| {
                from <= revision && after < position && position <= self.as_of
            })
        })
    }

    #[inline(never)]
    fn page(&self, view: &mut View<'_>, place: StoredPlace) -> Result<StoredPage, Stop> {
        if view.root.covered <= place.after {
            return self.page_of_tail(view, place.after);
        }
        let portion = self.portion(view, place, PAGE_BLOCKS_MAX)?;
        let mut page = EventPage::empty(self.as_of);
        for (record, runs) in &portion.records {
            for run in runs {
                let visible = self.visible(record, run, place.after);
                page.events.extend(visible.map(|place| (Rc::clone(record), place)));
            }
        }
        page.next = portion.next.map(|_| portion.done.0);
        Ok(StoredPage { page, next: portion.next })
    }

    /// What is not compacted is stored in the order of the log.
    fn page_of_tail(&self, view: &mut View<'_>, after: Position) -> Result<StoredPage, Stop> {
        let stretch = Stretch { first: after.next(), last: self.as_of, direction: Direction::Forwards };
        let asking = Asking { query: &self.query, since: None, until: None, stretch };
        let (page, _) = page_of_all(view, &Scan::new(asking, self.as_of), None)?;
        let next = page.next.map(|after| StoredPlace { after: Position(after), block: None });
        Ok(StoredPage { page, next })
    }

    fn plan(
        &self,
        view: &mut View<'_>,
        place: StoredPlace,
        block_count_max: usize,
    ) -> Result<StoredPlan, Stop> {
        let covered = view.root.covered;
        let first = place.after.next();
        if first <= covered && first <= self.as_of {
            let mut planned = self.plan_units(view, place, block_count_max)?;
            if planned.next.is_none() && covered < self.as_of {
                planned.next = Some(StoredPlace { after: covered, block: None });
            }
            if !planned.plan.sources.is_empty() || planned.next.is_none() {
                return Ok(planned);
            }
        }
        let (first, last) = (first.max(covered.next()), self.as_of);
        let plan =
            plan_tail(view.index, &self.query, Stretch { first, last, direction: Direction::Forwards });
        let next = plan.next.map(|after| StoredPlace { after: Position(after), block: None });
        let done = next.map_or(self.as_of, |next| next.after);
        Ok(StoredPlan { plan, next, done })
    }

    /// The next blocks of units.
    fn plan_units(
        &self,
        view: &mut View<'_>,
        place: StoredPlace,
        block_count_max: usize,
    ) -> Result<StoredPlan, Stop> {
        let root = view.root;
        let first = place.after.next();
        let start = root.units.partition_point(|unit| unit.last < first);
        let end = root.units.partition_point(|unit| unit.first <= self.as_of);
        let units = root.units.get(start..end).unwrap_or_default();
        check_gaps(units, first, self.as_of.min(root.covered))?;
        let candidates = Candidates::of(view, &self.query)?;
        let mut plan = Plan::default();
        for unit in units {
            let begin =
                place.block.filter(|block| block.unit == unit.number).map_or(BlockIndex(0), |it| it.block);
            for block in candidates.blocks_of(unit).into_iter().filter(|block| begin <= *block) {
                let address = BlockAddress { unit: unit.number, block };
                if plan.sources.len() == block_count_max {
                    let before = unit.first.0.saturating_sub(1);
                    let after = place.after.max(Position(before));
                    let next = Some(StoredPlace { after, block: Some(address) });
                    let share = (unit.last.0 - before).saturating_mul(u64::from(block.0))
                        / u64::from(unit.block_count.max(1));
                    return Ok(StoredPlan { plan, next, done: after.max(Position(before + share)) });
                }
                plan.sources.push(Source::Block(address));
            }
        }
        Ok(StoredPlan { plan, next: None, done: root.covered.min(self.as_of) })
    }

    /// The runs of a record that are wanted.
    fn runs_of(&self, view: &mut View<'_>, record: &DecodedRecord) -> Result<Vec<VisibleRun>, Stop> {
        let mut runs = Vec::new();
        let mut start = 0;
        while start < record.len() {
            let end = record.end_of_run(start).max(start + 1);
            let stream = record.stream(start).unwrap_or_default();
            if self.category.as_ref().is_none_or(|category| category_of(stream) == &**category) {
                let from = match self.visible_from(view, stream) {
                    // What the other runs need is read in the same transaction.
                    Err(Stop::Pending) => Revision::FIRST,
                    from => from?,
                };
                runs.push(VisibleRun { places: start..end, from });
            }
            start = end;
        }
        Ok(runs)
    }

    fn visible_from(&self, view: &mut View<'_>, stream: &str) -> Result<Revision, Stop> {
        if !view.index.has_hidden() {
            return Ok(Revision::FIRST);
        }
        Ok(view.stream(stream)?.map_or(Revision::FIRST, |stream| stream.visible_from(self.as_of)))
    }
}
