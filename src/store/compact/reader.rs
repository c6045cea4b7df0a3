//! Records of units and runs, read in their order, some at a time, past the caches of readers.

use std::vec::IntoIter;

use crate::event::Position;
use crate::index::plan::Source;
use crate::layout::root::RunInfo;
use crate::layout::unit::UnitInfo;
use crate::layout::{BlockAddress, BlockIndex};
use crate::storage::{Direction, KeyRange, PageRequest, Record, Request};
use crate::store::fetch::corrupt_part;
use crate::store::parts::{Item, Part};

use super::Halt;
use super::work::Desk;

/// So many records are read at a time.
const PARTS_AT_ONCE: usize = 16;

/// Reads parts, none of which may be missing.
pub(super) struct Reader {
    /// The parts that were not asked for yet. They are not put in a list: a number that was stored says how many they are.
    left: Box<dyn Iterator<Item = Part>>,
    /// Those that were asked for, and not given yet.
    asked: IntoIter<Part>,
    /// What was found of them, of each page the next one last, once it was.
    read: Option<Vec<Vec<Record>>>,
    /// The first position of what they are parts of, for errors.
    first: Option<Position>,
}

/// What comes next.
pub(super) enum Next {
    Item(Part, Item),
    /// It was asked for.
    Pending,
    /// Nothing: that was all.
    End,
}

impl Reader {
    pub fn new(parts: impl Iterator<Item = Part> + 'static, first: Option<Position>) -> Self {
        Self { left: Box::new(parts), asked: IntoIter::default(), read: None, first }
    }

    /// All that a unit consists of: what remains of erased events, then its blocks.
    pub fn of_unit(unit: &UnitInfo) -> Self {
        let number = unit.number;
        let remains = (0..unit.remains_count).map(move |index| Part::Remains(number, index));
        let address = move |index| BlockAddress { unit: number, block: BlockIndex(index) };
        let blocks = (0..unit.block_count).map(move |index| Part::Entries(Source::Block(address(index))));
        Self::new(remains.chain(blocks), Some(unit.first))
    }

    /// The pages of a run.
    pub fn of_run(run: &RunInfo) -> Self {
        let number = run.number;
        let pages = (0..run.page_count).map(move |page| Part::Page(number, page));
        Self::new(pages, Some(run.first))
    }

    /// The next part, decoded. Fails at one that cannot be read.
    pub fn next(&mut self, desk: &mut Desk) -> Result<Next, Halt> {
        self.try_next(desk).map_err(|(part, problem)| self.damage_of(part, &problem))
    }

    /// The next part, decoded. After one that cannot be read the others follow. Errors: such a part, and what is wrong
    /// with it.
    pub fn try_next(&mut self, desk: &mut Desk) -> Result<Next, (Part, String)> {
        if let Some(found) = desk.found.take() {
            let read = self.read.insert(found.pages);
            read.iter_mut().for_each(|page| page.reverse());
        }
        let (Some(read), Some(part)) = (&mut self.read, self.asked.next()) else {
            return Ok(self.ask(desk));
        };
        let (_, key) = part.key();
        let record = read.iter_mut().find_map(|page| page.pop_if(|record| record.key == key));
        match part.decode(record.map(|record| record.value)) {
            Ok(item) => Ok(Next::Item(part, item)),
            Err(problem) => Err((part, problem)),
        }
    }

    /// Asks for some of the parts that are left.
    fn ask(&mut self, desk: &mut Desk) -> Next {
        let asked: Vec<Part> = self.left.by_ref().take(PARTS_AT_ONCE).collect();
        if asked.is_empty() {
            return Next::End;
        }
        let mut pages = Vec::new();
        for group in asked.chunk_by(|one, next| one.stands_beside(*next)) {
            let [first, ..] = group else { continue };
            let (area, from) = first.key();
            let to = group.last().map(|last| last.key().1);
            let (range, direction) = (KeyRange { from: Some(from), to }, Direction::Forwards);
            pages.push(PageRequest { area, range, direction, count_max: group.len() });
        }
        desk.wanted = Some(Request { pages, ..Request::default() });
        self.asked = asked.into_iter();
        self.read = None;
        Next::Pending
    }

    /// Why work ends at a part that holds something else than it should.
    #[cold]
    #[inline(never)]
    pub fn damage_of(&self, part: Part, problem: &str) -> Halt {
        match part {
            Part::Page(..) => Halt::Directory,
            _ => corrupt_part(self.first, part, problem).into(),
        }
    }
}
