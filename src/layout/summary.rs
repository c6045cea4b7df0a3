//! What units hold of a stream.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::codec::cursor::Cursor;
use crate::codec::{Body, Corrupt, Entry, varint};
use crate::event::{Fact, Position, Revision, UnixMillis};
use crate::limits;
use crate::log::{StreamFacts, StreamState};

use super::stored_numbers::{
    Differences, push_time, read_list, read_position, read_position_from, read_revision, read_time,
};
use super::{BlockIndex, UnitNumber};

/// Most hidings that are kept, of those of which it is known what they hid. Of a stream that was hidden more often, of
/// the oldest ones only the first and the last are left, and each hides what all of them hid: so what an append must
/// read does not grow with every truncation.
const HIDINGS_MAX: usize = 64;

/// What a contiguous range of positions says of a stream. It knows what happened there, and nothing of what was
/// before.
///
/// A monoid: [`StreamSummary::then`] is associative, and the empty one is neutral.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamSummary {
    /// The revision of the last event. `None` where there are facts alone.
    pub last_revision: Option<Revision>,
    /// What the stream is since its last event, deletion or tombstone. `None` where there are truncations alone.
    pub standing: Option<Standing>,
    /// What was hidden, in the order of the positions.
    pub hidings: Vec<Hiding>,
    /// The first and the last event, seen, hidden or erased.
    pub moments: Option<Moments>,
    /// Where its events stand, in order.
    pub runs: Vec<StoredRun>,
    /// The blocks that hold facts of it, in the order of the facts, each once.
    pub fact_blocks: Vec<BlockAddress>,
}

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has events.
    Live,
    /// It was deleted, and may be written again.
    Deleted,
    /// It was deleted for good.
    Tombstoned,
}

/// A fact that hid events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hiding {
    /// Where it stands: what was read as of an earlier position is not hidden.
    pub position: Position,
    /// Events before this revision are hidden.
    pub before: Revision,
    /// What else is hidden.
    pub reach: Reach,
}

/// Whether a hiding goes back beyond what a summary knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing else than what its revision says.
    Revision,
    /// All events before those of the summary: a deletion where their last revision is not known.
    Earlier,
}

/// The first and the last event of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    /// The first.
    pub first: Moment,
    /// The last.
    pub last: Moment,
}

/// When and where an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Where.
    pub position: Position,
    /// When.
    pub time: UnixMillis,
}

/// A block of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockAddress {
    /// The unit.
    pub unit: UnitNumber,
    /// Its block.
    pub block: BlockIndex,
}

/// Events of a stream with successive revisions that stand in one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRun {
    /// The block.
    pub address: BlockAddress,
    /// The revision of the first.
    pub first_revision: Revision,
    /// How many they are: at least one.
    pub count: u32,
}

impl StreamSummary {
    /// Takes in what happened next: an event or a fact of the stream.
    pub fn lay(&mut self, entry: &Entry<'_>) {
        let position = entry.position;
        match &entry.body {
            Body::Event { revision, .. } => {
                let moment = Moment { position, time: entry.time };
                self.last_revision = Some(*revision);
                self.standing = Some(Standing::Live);
                let first = self.moments.map_or(moment, |moments| moments.first);
                self.moments = Some(Moments { first, last: moment });
            }
            Body::Fact(Fact::Truncated { before }) => {
                self.hide(Hiding { position, before: *before, reach: Reach::Revision });
            }
            Body::Fact(Fact::Deleted) => self.delete(position, Standing::Deleted),
            Body::Fact(Fact::Tombstoned) => self.delete(position, Standing::Tombstoned),
        }
    }

    fn delete(&mut self, position: Position, standing: Standing) {
        let (before, reach) = match self.last_revision {
            Some(last) => (after(last), Reach::Revision),
            None => (Revision::FIRST, Reach::Earlier),
        };
        self.standing = Some(standing);
        self.hide(Hiding { position, before, reach });
    }

    fn hide(&mut self, hiding: Hiding) {
        self.hidings.push(hiding);
        self.join_oldest_hidings();
    }

    /// Notes that the event or the fact that was laid stands in a block. Those of a stream come in their order.
    pub fn store(&mut self, body: &Body<'_>, address: BlockAddress) {
        let Body::Event { revision, .. } = body else {
            if self.fact_blocks.last() != Some(&address) {
                self.fact_blocks.push(address);
            }
            return;
        };
        match self.runs.last_mut() {
            Some(run) if run.address == address && run.end() == *revision => {
                run.count = run.count.saturating_add(1);
            }
            _ => self.runs.push(StoredRun { address, first_revision: *revision, count: 1 }),
        }
    }

    /// What both say together: this one older, `newer` of a later range of positions.
    #[must_use]
    pub fn then(mut self, newer: Self) -> Self {
        for mut hiding in newer.hidings {
            if let (Reach::Earlier, Some(last)) = (hiding.reach, self.last_revision) {
                hiding.before = hiding.before.max(after(last));
                hiding.reach = Reach::Revision;
            }
            self.hidings.push(hiding);
        }
        self.join_oldest_hidings();
        self.last_revision = newer.last_revision.or(self.last_revision);
        self.standing = newer.standing.or(self.standing);
        self.moments = match (self.moments, newer.moments) {
            (Some(older), Some(newer)) => Some(Moments { first: older.first, last: newer.last }),
            (older, newer) => newer.or(older),
        };
        self.runs.extend(newer.runs);
        self.fact_blocks.extend(newer.fact_blocks);
        self
    }

    /// Of the oldest hidings leaves the first and the last, until there are as many as are kept. Those that reach back
    /// beyond the summary stay: what they hid is only known by an older one. They are a deletion and a tombstone at most.
    fn join_oldest_hidings(&mut self) {
        let count = self.hidings.iter().filter(|hiding| hiding.is_known()).count();
        let Some(surplus) = count.checked_sub(HIDINGS_MAX).filter(|surplus| 0 < *surplus) else { return };
        let joined_count = surplus.saturating_add(2);
        let joined = self.hidings.iter().filter(|hiding| hiding.is_known()).take(joined_count);
        let before = joined.map(|hiding| hiding.before).max().unwrap_or_default();
        let mut number: usize = 0;
        self.hidings.retain_mut(|hiding| {
            if !hiding.is_known() {
                return true;
            }
            number = number.saturating_add(1);
            if number <= joined_count {
                hiding.before = before;
            }
            number == 1 || joined_count <= number
        });
    }

    /// The first and the last of the hidings that were joined, if any may have been: they hide the same.
    fn joined_hidings(&self) -> Option<(Hiding, Hiding)> {
        let mut known = self.hidings.iter().filter(|hiding| hiding.is_known());
        let (first, last) = (known.next()?, known.next()?);
        (HIDINGS_MAX <= self.hidings.len() && first.before == last.before).then_some((*first, *last))
    }

    /// Whether it is known how the stream was hidden last as of a position, and not only what was hidden soon after.
    pub fn tells_hidings_apart(&self, as_of: Position) -> bool {
        !self.joined_hidings().is_some_and(|(first, last)| first.position <= as_of && as_of < last.position)
    }

    /// Leaves out the hidings up to a position, which an older summary knows. Of what was joined across it the rest stays:
    /// it hides the same from the next position on.
    pub fn leave_out_hidings_up_to(&mut self, covered: Position) {
        let cut = self.joined_hidings();
        self.hidings.retain(|hiding| covered < hiding.position);
        if let Some((first, last)) = cut
            && first.position <= covered
            && covered < last.position
        {
            self.hidings.insert(0, Hiding { position: covered.next(), ..first });
        }
    }

    /// What expectations see of the stream, if nothing of it is older than this summary.
    pub fn to_facts(&self) -> StreamFacts {
        StreamFacts { state: self.state(), visible_from: self.visible_from(Position(u64::MAX)) }
    }

    fn state(&self) -> StreamState {
        match (self.standing, self.last_revision) {
            (Some(Standing::Deleted), last) => StreamState::Deleted(last),
            (Some(Standing::Tombstoned), last) => StreamState::Tombstoned(last),
            (Some(Standing::Live), Some(last)) => StreamState::Live(last),
            (Some(Standing::Live) | None, _) => StreamState::NeverExisted,
        }
    }

    /// From which revision on events are seen in the state as of a position, if nothing of the stream is older than
    /// this summary. Of a stream of which events were hidden more than 64 times, the oldest times are not told apart:
    /// from the first of them on, everything is hidden that any of them hid.
    pub fn visible_from(&self, as_of: Position) -> Revision {
        let hidings = self.hidings.iter().filter(|hiding| hiding.position <= as_of);
        hidings.map(|hiding| hiding.before).max().unwrap_or(Revision::FIRST)
    }

    /// Where events stand that are hidden by now, if nothing of the stream is older than this summary.
    pub fn hidden_runs(&self) -> impl Iterator<Item = &StoredRun> {
        let visible_from = self.visible_from(Position(u64::MAX));
        self.runs.iter().filter(move |run| run.first_revision < visible_from)
    }

    /// The same without the places of its entries: what must be known of a stream once its events were erased.
    #[must_use]
    pub fn without_places(&self) -> Self {
        Self { runs: Vec::new(), fact_blocks: Vec::new(), hidings: self.hidings.clone(), ..*self }
    }

    /// Appends the stored form: see FORMAT.md, "Summaries".
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.flags());
        if let Some(last) = self.last_revision {
            varint::push_unsigned(bytes, last.0);
        }
        if let Some(Moments { first, last }) = self.moments {
            varint::push_unsigned(bytes, first.position.0);
            push_time(bytes, UnixMillis::default(), first.time);
            varint::push_unsigned(bytes, last.position.0.saturating_sub(first.position.0));
            push_time(bytes, first.time, last.time);
        }
        if !self.hidings.is_empty() {
            self.write_hidings(bytes);
        }
        self.write_runs(bytes);
        if !self.fact_blocks.is_empty() {
            let mut units = Differences::default();
            varint::push_size(bytes, self.fact_blocks.len());
            self.fact_blocks.iter().for_each(|address| address.write(&mut units, bytes));
        }
    }

    fn flags(&self) -> u8 {
        let standing = match self.standing {
            None => 0,
            Some(Standing::Live) => 1,
            Some(Standing::Deleted) => 2,
            Some(Standing::Tombstoned) => 3,
        };
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        standing
            | flag(LAST_REVISION, self.last_revision.is_some())
            | flag(MOMENTS, self.moments.is_some())
            | flag(HIDINGS, !self.hidings.is_empty())
            | flag(FACT_BLOCKS, !self.fact_blocks.is_empty())
    }

    fn write_hidings(&self, bytes: &mut Vec<u8>) {
        let mut positions = Differences::default();
        varint::push_size(bytes, self.hidings.len());
        for Hiding { position, before, reach } in &self.hidings {
            positions.push(bytes, position.0);
            let reach = u64::from(*reach == Reach::Earlier);
            varint::push_unsigned(bytes, before.0 << 1 | reach);
        }
    }

    fn write_runs(&self, bytes: &mut Vec<u8>) {
        let (mut units, mut revisions) = (Differences::default(), Differences::default());
        varint::push_size(bytes, self.runs.len());
        for run in &self.runs {
            run.address.write(&mut units, bytes);
            revisions.push(bytes, run.first_revision.0);
            varint::push_unsigned(bytes, u64::from(run.count));
            revisions = Differences::after(run.end().0);
        }
    }

    /// Reads the stored form. Errors: [`Corrupt`] for anything else.
    pub fn read(cursor: &mut Cursor<'_>) -> Result<Self, Box<Corrupt>> {
        let flags = cursor.byte()?;
        if flags & !(STANDING | LAST_REVISION | MOMENTS | HIDINGS | FACT_BLOCKS) != 0 {
            return Err(cursor.corrupt("a flag is not known"));
        }
        let mut summary = Self {
            standing: match flags & STANDING {
                0 => None,
                1 => Some(Standing::Live),
                2 => Some(Standing::Deleted),
                _ => Some(Standing::Tombstoned),
            },
            ..Self::default()
        };
        if flags & LAST_REVISION != 0 {
            summary.last_revision = Some(read_revision(cursor)?);
        }
        if flags & MOMENTS != 0 {
            summary.moments = Some(read_moments(cursor)?);
        }
        if flags & HIDINGS != 0 {
            summary.hidings = read_hidings(cursor)?;
        }
        summary.runs = read_runs(cursor)?;
        if flags & FACT_BLOCKS != 0 {
            let mut units = Differences::default();
            summary.fact_blocks = read_list(cursor, |cursor| BlockAddress::read(&mut units, cursor))?;
        }
        Ok(summary)
    }
}

impl Hiding {
    /// Whether all that it hides is known by a revision.
    fn is_known(&self) -> bool {
        self.reach == Reach::Revision
    }
}

/// Bits of the first byte: what the stream is.
const STANDING: u8 = 0b11;
/// The last revision is known.
const LAST_REVISION: u8 = 1 << 2;
/// There are events.
const MOMENTS: u8 = 1 << 3;
/// Events were hidden.
const HIDINGS: u8 = 1 << 4;
/// There are facts.
const FACT_BLOCKS: u8 = 1 << 5;

impl StoredRun {
    /// The revision after its last event.
    pub fn end(&self) -> Revision {
        Revision(self.first_revision.0.saturating_add(u64::from(self.count)))
    }
}

fn after(revision: Revision) -> Revision {
    Revision(revision.0.saturating_add(1))
}

fn read_moments(cursor: &mut Cursor<'_>) -> Result<Moments, Box<Corrupt>> {
    let first = Moment { position: read_position(cursor)?, time: read_time(cursor, UnixMillis::default())? };
    let position = read_position_from(cursor, first.position)?;
    let last = Moment { position, time: read_time(cursor, first.time)? };
    Ok(Moments { first, last })
}

fn read_hidings(cursor: &mut Cursor<'_>) -> Result<Vec<Hiding>, Box<Corrupt>> {
    let mut positions = Differences::default();
    read_list(cursor, |cursor| {
        let position = Position(positions.read(cursor)?);
        let value = cursor.unsigned()?;
        let before = Revision(value >> 1);
        if limits::INTEGER_MAX.saturating_add(1) < before.0 {
            return Err(cursor.corrupt("a revision is too large"));
        }
        let reach = if value & 1 == 1 { Reach::Earlier } else { Reach::Revision };
        Ok(Hiding { position, before, reach })
    })
}

fn read_runs(cursor: &mut Cursor<'_>) -> Result<Vec<StoredRun>, Box<Corrupt>> {
    let (mut units, mut revisions) = (Differences::default(), Differences::default());
    read_list(cursor, |cursor| {
        let address = BlockAddress::read(&mut units, cursor)?;
        let first_revision = Revision(revisions.read(cursor)?);
        let count = cursor.size(limits::RECORD_ENTRIES_MAX, "a run is longer than a block")?;
        if count == 0 {
            return Err(cursor.corrupt("a run is empty"));
        }
        let run = StoredRun { address, first_revision, count: count as u32 };
        revisions = Differences::after(run.end().0);
        Ok(run)
    })
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may end where it is surprised"
)]
#[cfg(test)]
mod tests;
