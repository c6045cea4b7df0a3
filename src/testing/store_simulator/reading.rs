//! Reads of a tab, page after page, and their check against the model.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::error::{Detail, Error};
use crate::event::{Position, Revision};
use crate::host::Host;
use crate::storage::{Direction, Storage};
use crate::store::{AllRead, EventPage, Store, StreamRead};
use crate::testing::executor::{Scheduler, TabId};

use super::model_entry::ModelEntry;
use super::world::World;

/// A read that needs more pages than this does not end.
const PAGES_MAX: usize = 5_000;

/// What a reader shares with the simulation.
#[derive(Clone)]
pub struct Reader {
    pub tab: TabId,
    pub world: Rc<RefCell<World>>,
    pub scheduler: Scheduler,
    pub is_closing: Rc<Cell<bool>>,
    /// How long it rests between two pages.
    pub pause_ms: u64,
}

/// Reads of either kind.
#[derive(Debug, Clone)]
pub enum Read {
    Stream(StreamRead),
    All(AllRead),
}

/// What a read gave, and the state of the log that it says it read.
struct WholeRead {
    entries: Vec<ModelEntry>,
    as_of: u64,
}

impl Reader {
    /// Reads to the end, and checks that it was the log as it was at one moment since the call.
    pub async fn read<S: Storage, H: Host>(self, store: Store<S, H>, read: Read) {
        let head = self.world.borrow_mut().begin_read(self.tab);
        let result = self.read_pages(&store, read.clone()).await;
        let mut world = self.world.borrow_mut();
        world.end_read(self.tab);
        let WholeRead { entries, as_of } = match result {
            Ok(whole) => whole,
            Err(error) => return world.read_failed("a read", &error, self.is_closing.get()),
        };
        world.note(format!("read {} entries as of {as_of}: {read:?}", entries.len()));
        let is_fresh = head <= as_of && as_of <= world.model.head() && world.model.is_commit_end(as_of);
        if !is_fresh {
            let now = world.model.head();
            return world.fail(format!("a read from {head} to {now} is as of {as_of}: {read:?}"));
        }
        let expected = match &read {
            Read::Stream(read) => world.model.read_stream(as_of, read),
            Read::All(read) => world.model.read_all(as_of, read),
        };
        if !world.is_all(&entries, &expected, as_of) {
            let problem = format!("as of {as_of}, {read:?} gave\n{entries:#?}\nand not\n{expected:#?}");
            world.fail(problem);
        }
    }

    /// Compacts all that there is.
    pub async fn compact<S: Storage, H: Host>(self, store: Store<S, H>) {
        self.world.borrow_mut().begin_read(self.tab);
        let result = store.compact(|_| ControlFlow::Continue(())).await;
        let mut world = self.world.borrow_mut();
        world.end_read(self.tab);
        match result {
            Ok(compacted) => {
                world.summary.compactions += 1;
                world.note(format!("{compacted:?}"));
            }
            // Without locks, others may have been faster each time.
            Err(error) if is_given_up(&error) => world.note("a compaction gave up"),
            Err(error) => world.read_failed("a compaction", &error, self.is_closing.get()),
        }
    }

    async fn read_pages<S: Storage, H: Host>(
        &self,
        store: &Store<S, H>,
        mut read: Read,
    ) -> Result<WholeRead, Error> {
        let mut entries = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = match &read {
                Read::Stream(read) => store.read_stream(read).await?,
                Read::All(read) => store.read_all(read).await?,
            };
            let count = page.entries().count();
            entries.extend(page.entries().map(ModelEntry::from));
            let as_of = page.as_of.0;
            let Some(next) = read.next(&page, count, entries.last()) else {
                return Ok(WholeRead { entries, as_of });
            };
            read.go_on(next, page.as_of);
            self.scheduler.sleep(self.pause_ms).await;
        }
        self.world.borrow_mut().fail(format!("a read does not end: {read:?}"));
        Ok(WholeRead { entries, as_of: 0 })
    }
}

fn is_given_up(error: &Error) -> bool {
    let Detail::StorageFailed { cause, .. } = error.detail() else { return false };
    cause.ends_with("other tabs compacted the log")
}

impl World {
    /// Whether these are the entries that are expected as of a state. Of those that were erased meanwhile, or that the
    /// store may take for hidden, any may be missing.
    pub fn is_all(&self, entries: &[ModelEntry], expected: &[&ModelEntry], as_of: u64) -> bool {
        let may_lack =
            |entry: &ModelEntry| self.erased.contains(&entry.position) || self.model.is_untold(as_of, entry);
        let mut entries = entries.iter().peekable();
        let is_there = |expected: &&ModelEntry| entries.next_if_eq(expected).is_some() || may_lack(expected);
        expected.iter().all(is_there) && entries.next().is_none()
    }
}

impl Read {
    /// Where the next page begins: a limit ends a read of the store's, but not one of the simulation's.
    fn next(&self, page: &EventPage, count: usize, last: Option<&ModelEntry>) -> Option<u64> {
        let (limit, direction) = match self {
            Self::Stream(read) => (read.limit, read.direction),
            Self::All(read) => (read.limit, read.direction),
        };
        if limit != Some(count as u64) {
            return page.next;
        }
        let last = last?;
        Some(match (self, direction) {
            (Self::Stream(_), Direction::Forwards) => last.revision()? + 1,
            (Self::Stream(_), Direction::Backwards) => last.revision()?,
            (Self::All(_), _) => last.position,
        })
    }

    fn go_on(&mut self, next: u64, as_of: Position) {
        match self {
            Self::Stream(read) => {
                read.as_of = Some(as_of);
                match read.direction {
                    Direction::Forwards => read.from = Revision(next),
                    Direction::Backwards => read.before = Some(Revision(next)),
                }
            }
            Self::All(read) => {
                read.as_of = Some(as_of);
                match read.direction {
                    Direction::Forwards => read.after = Position(next),
                    Direction::Backwards => read.before = Some(Position(next)),
                }
            }
        }
    }
}
