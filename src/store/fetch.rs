//! Reading what a look at the store found missing.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::index::plan::Source;
use crate::index::{Segment, Segments};
use crate::layout::root::Root;
use crate::layout::{BlockAddress, UnitNumber};
use crate::storage::{
    Area, Direction, Durability, Found, GuardedWrite, Key, KeyRange, LayoutChange, PageRequest, Record,
    Request, Storage, Written,
};

use super::Shared;
use super::cache::Keep;
use super::catch_up::Slice;
use super::coming::Coming;
use super::parts::{Item, Part};
use super::view::{Held, Stop, View};

/// Reading a range of keys costs a fraction of reading each of them, so it pays to read records that are not
/// asked for: at most so many times those that are.
const RANGE_RECORDS_FACTOR: usize = 4;
/// How much may be read to no purpose, in bytes.
const RANGE_BYTES_MAX: u64 = 1024 * 1024;
/// So many blocks are read in one transaction: the first of many are decoded while the others come.
const BLOCKS_PER_READ: usize = 32;
/// So many times one look, or one catch-up, has the directory made again: more often only a storage needs it that gives
/// a record to one read and not to the next.
pub(super) const REBUILDS_MAX: usize = 8;

impl<S: Storage, H: Host> Shared<S, H> {
    /// Looks at the store, reads what was found missing, and looks again, until nothing is.
    ///
    /// Errors: what `look` fails with, and `CORRUPT_DATA` for the first entries that cannot be read, or for a directory
    /// that cannot be read however often it is made.
    pub(super) fn look<'a>(
        &'a self,
        look: &'a mut dyn FnMut(&mut View<'_>) -> Result<(), Stop>,
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        self.look_and(Keep::All, look)
    }

    /// [`Shared::look`], and keeps what is said of what was read.
    pub(super) fn look_and<'a>(
        &'a self,
        keep: Keep,
        look: &'a mut dyn FnMut(&mut View<'_>) -> Result<(), Stop>,
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        async move {
            let (mut held, mut rebuild_count) = (Held::default(), 0);
            self.index.borrow_mut().trim();
            'looking: loop {
                self.check_open()?;
                let lacking = match self.look_once(&mut held, look)? {
                    Looked::Enough => return Ok(()),
                    Looked::Lacks(lacking) => lacking,
                    Looked::InVain if rebuild_count == REBUILDS_MAX => return Err(vain()),
                    Looked::InVain => {
                        // What the directory says stands in the blocks too.
                        rebuild_count += usize::from(self.rebuild(&mut |_| ()).await?);
                        self.refresh().await?;
                        held = Held::default();
                        continue;
                    }
                };
                for Coming { asked, is_early, found } in self.begin(lacking) {
                    let found = match found.wait().await {
                        // Nobody waited for it yet, and it may have been long ago: it is asked for again.
                        Err(_) if is_early => {
                            held = Held::default();
                            continue 'looking;
                        }
                        found => found?,
                    };
                    if found.head.layout != asked.layout {
                        self.refresh().await?;
                        held = Held::default();
                        continue 'looking;
                    }
                    let mut slice = Slice::begin(&self.host);
                    for (part, stored) in asked.pick(found) {
                        self.take_part(&mut held, keep, part, stored)?;
                        slice.yield_when_over(&self.host).await;
                    }
                }
            }
        }
        .boxed_local()
    }

    /// Looks once.
    #[inline(never)]
    pub(super) fn look_once(
        &self,
        held: &mut Held,
        look: &mut dyn FnMut(&mut View<'_>) -> Result<(), Stop>,
    ) -> Result<Looked, Error> {
        let (root, mut index) = (self.root(), self.index.borrow_mut());
        let mut view = View::new(&mut index, &root, held, &self.cache);
        match look(&mut view) {
            Ok(()) => return Ok(Looked::Enough),
            Err(Stop::Pending) => {}
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Directory) => return Ok(Looked::InVain),
        }
        let missing = view.into_missing();
        assert!(!missing.is_empty(), "a look waits for nothing");
        Ok(Looked::Lacks(Asked::all_of(index.head().layout, index.segments(), &missing)))
    }

    /// Reads from the storage.
    /// Writes records, and deletes some, where what is expected holds.
    pub(super) fn put(
        &self,
        expect: Vec<(Area, Key, Option<Vec<u8>>)>,
        deletes: Vec<(Area, KeyRange)>,
        puts: Vec<(Area, Key, Vec<u8>)>,
    ) -> LocalBoxFuture<'_, Result<Written, Error>> {
        let durability = Durability::Relaxed.min(self.storage.strongest_durability());
        let write = GuardedWrite { expect, deletes, puts, layout: LayoutChange::Keep, durability };
        async move { Ok(self.storage.write(write).await?) }.boxed_local()
    }

    pub(super) fn ask(&self, request: Request) -> LocalBoxFuture<'_, Result<Found, Error>> {
        async move { Ok(self.storage.read(request).await?) }.boxed_local()
    }

    #[inline(never)]
    fn take_part(
        &self,
        held: &mut Held,
        keep: Keep,
        part: Part,
        stored: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let item = match part.decode(stored) {
            Ok(item) => {
                if keep == Keep::All || !matches!(part, Part::Entries(Source::Block(_))) {
                    self.cache.borrow_mut().insert(part, item.clone());
                }
                item
            }
            Err(problem) => match part {
                Part::Entries(Source::Log(first)) => {
                    let error = damage_error(first, &problem);
                    self.index.borrow_mut().mark_damaged(first, problem);
                    return Err(error);
                }
                Part::Entries(Source::Block(BlockAddress { unit, .. }))
                | Part::Unpacked(BlockAddress { unit, .. })
                | Part::Remains(unit, _) => Item::Damaged(damage_in_unit(&self.root(), unit, part, &problem)),
                _ => Item::Unreadable,
            },
        };
        held.put(part, item);
        Ok(())
    }
}

/// What a look came to.
pub(super) enum Looked {
    Enough,
    /// This has to be read before it makes sense to look again.
    Lacks(Vec<Asked>),
    /// The directory cannot be read.
    InVain,
}

/// Parts that are read in one transaction.
pub(super) struct Asked {
    /// The layout in which they stand where the index and the root say.
    layout: u64,
    pub request: Request,
    /// The parts whose keys are asked for, in that order.
    by_key: Vec<Part>,
    /// The parts that stand in a range that is asked for, in no order.
    in_pages: Vec<Part>,
}

impl Asked {
    fn all_of(layout: u64, segments: &Segments, missing: &[Part]) -> Vec<Self> {
        let count_max = match missing.last() {
            Some(Part::Entries(Source::Block(_)) | Part::Unpacked(_)) => BLOCKS_PER_READ,
            _ => missing.len(),
        };
        missing.chunks(count_max).map(|parts| Self::of(layout, segments, parts)).collect()
    }

    #[inline(never)]
    fn of(layout: u64, segments: &Segments, missing: &[Part]) -> Self {
        let (by_key, in_pages, request) = (Vec::new(), Vec::new(), Request::default());
        let mut asked = Self { layout, request, by_key, in_pages };
        let (mut rest, mut of_log) = (Vec::new(), Vec::new());
        for part in missing {
            match part {
                Part::Entries(Source::Log(first)) => of_log.push(*first),
                _ => rest.push(*part),
            }
        }
        if !of_log.is_empty() {
            let range = range_of_log(segments, &of_log);
            asked.add(of_log.into_iter().map(Part::from), range);
        }
        for group in rest.chunk_by(|one, next| one.stands_beside(*next)) {
            asked.add(group.iter().copied(), range_of_group(group));
        }
        asked
    }

    /// Asks for parts: in a range with how many records stand in it, or else by key.
    fn add(&mut self, parts: impl Iterator<Item = Part>, range: Option<(Area, KeyRange, usize)>) {
        match range {
            Some((area, range, count_max)) => {
                let direction = Direction::Forwards;
                self.request.pages.push(PageRequest { area, range, direction, count_max });
                self.in_pages.extend(parts);
            }
            None => {
                for part in parts {
                    self.request.keys.push(part.key());
                    self.by_key.push(part);
                }
            }
        }
    }

    /// Whether the same parts are asked for, of the same layout.
    pub fn is_same(&self, other: &Self) -> bool {
        self.layout == other.layout && self.by_key == other.by_key && self.in_pages == other.in_pages
    }

    /// How many parts are asked for.
    pub fn part_count(&self) -> usize {
        self.by_key.len() + self.in_pages.len()
    }

    /// Each part with what is stored of it.
    #[inline(never)]
    fn pick(self, found: Found) -> Vec<(Part, Option<Vec<u8>>)> {
        let mut picked: Vec<(Part, Option<Vec<u8>>)> = self.by_key.into_iter().zip(found.values).collect();
        let mut pages = found.pages;
        for part in self.in_pages {
            let (_, key) = part.key();
            picked.push((part, pages.iter_mut().find_map(|page| take_record(page, &key))));
        }
        picked
    }
}

/// What is stored under a key, from a page that was read forwards.
fn take_record(page: &mut [Record], key: &Key) -> Option<Vec<u8>> {
    let place = page.binary_search_by(|record| record.key.cmp(key)).ok()?;
    page.get_mut(place).map(|record| std::mem::take(&mut record.value))
}

/// The range of records of the log, where they stand close together.
fn range_of_log(segments: &Segments, missing: &[Position]) -> Option<(Area, KeyRange, usize)> {
    let (lowest, highest) = (missing.iter().min()?, missing.iter().max()?);
    let places = segments.place_of(*lowest)..=segments.place_of(*highest);
    let between = segments.all().get(places).unwrap_or_default();
    let wanted = missing.iter().filter_map(|first| segments.get(*first));
    let wanted_bytes: u64 = wanted.map(|segment| segment.size_bytes).sum();
    let range_bytes: u64 = between.iter().map(|segment| segment.size_bytes).sum();
    let is_dense = 1 < missing.len()
        && between.len() <= RANGE_RECORDS_FACTOR * missing.len()
        && range_bytes <= wanted_bytes + RANGE_BYTES_MAX;
    let range = KeyRange { from: Some(Key::Position(*lowest)), to: Some(Key::Position(*highest)) };
    // What should not be there may stand between them, and must not push the last one out.
    is_dense.then_some((Area::Log, range, usize::MAX))
}

/// The range of parts that stand side by side in this order.
fn range_of_group(group: &[Part]) -> Option<(Area, KeyRange, usize)> {
    let [first, .., last] = group else { return None };
    let ((area, from), (_, to)) = (first.key(), last.key());
    Some((area, KeyRange { from: Some(from), to: Some(to) }, group.len()))
}

/// A page of the log, from its beginning on.
pub(super) fn page_of_log(range: KeyRange, count_max: usize) -> Request {
    PageRequest { area: Area::Log, range, direction: Direction::Forwards, count_max }.into()
}

/// The error of a record that the index knows to be damaged.
pub(super) fn damage_of(segment: &Segment) -> Error {
    let problem = segment.damage.as_ref().map_or("", |damage| &damage.problem);
    damage_error(segment.first, problem)
}

/// The error of a record of the log that cannot be read.
pub(super) fn damage_error(first: Position, problem: &str) -> Error {
    corrupt_part(Some(first), first.into(), problem)
}

/// The error of a directory that cannot be read however often it is made.
#[cold]
#[inline(never)]
pub(super) fn vain() -> Error {
    Error::corrupt_data(None, Area::Index.name().to_owned(), "what was made again cannot be read")
}

/// The error of a part of a unit that cannot be read.
#[cold]
#[inline(never)]
pub(super) fn damage_in_unit(root: &Root, unit: UnitNumber, part: Part, problem: &str) -> Error {
    let unit = root.units.iter().find(|other| other.number == unit);
    corrupt_part(unit.map(|unit| unit.first), part, problem)
}

/// The error of a part that cannot be read.
pub(super) fn corrupt_part(first: Option<Position>, part: Part, problem: &str) -> Error {
    Error::corrupt_data(first, part.name(), problem)
}
