//! The ids of events that units hold, as far as most others can be told from them.

use std::mem::size_of;

use crate::event::Position;
use crate::id::EventId;
use crate::layout::{Fingerprint, mix};

/// Bits for each id, where there are as many as there is room for.
const BITS_PER_ID: u64 = 16;
/// How many bits an id sets: each takes nine bits of a hash to say which of a line it is.
const PROBE_COUNT: u32 = 7;
/// There is room for at least so many ids, and for twice as many as there were at first.
const ROOM_MIN: u64 = 4_096;
/// Most memory, in bytes. What is more shares the room: then more ids are asked of the blocks.
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// About how many ids a block holds.
const IDS_PER_BLOCK: u64 = 512;

/// Bits that one memory access fetches.
type Line = [u64; 8];

/// The ids that units hold up to a position: a Bloom filter over all of them, in which an id sets bits of one line
/// only, after Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters" (2007). So an id that
/// stands nowhere is known to in one step, however many units there are.
#[derive(Debug, Default)]
pub struct IdsInUnits {
    lines: Vec<Line>,
    id_count: u64,
    /// The last position of those whose ids are in it.
    up_to: Position,
    /// How many blocks were asked in its place.
    asked_block_count: u64,
    is_of_use: Use,
}

/// Whether it is worth having.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Use {
    /// Nobody asked for an id.
    #[default]
    Unknown,
    Wanted,
    /// What it is made of cannot be read.
    Refused,
}

impl IdsInUnits {
    /// Whether an event of this id may stand up to a position. `false` is certain.
    pub fn may_hold(&mut self, id: EventId, covered: Position) -> bool {
        if self.is_of_use == Use::Unknown {
            self.is_of_use = Use::Wanted;
        }
        self.up_to < covered || self.may_contain(Fingerprint::of(id))
    }

    /// Notes that so many blocks are to be asked where all that units hold up to a position are so many entries, and
    /// says whether it is worth to learn them all instead: once what was read of blocks comes to as much.
    pub fn is_worth_learning(&mut self, block_count: u64, covered: Position, entry_count: u64) -> bool {
        self.asked_block_count = self.asked_block_count.saturating_add(block_count);
        let is_missing = self.up_to < covered && self.is_of_use != Use::Refused;
        is_missing && entry_count <= self.asked_block_count.saturating_mul(IDS_PER_BLOCK)
    }

    /// The last position of those whose ids are known.
    pub fn up_to(&self) -> Position {
        self.up_to
    }

    /// Makes room for the ids of so many entries, where there is none yet.
    pub fn make_room(&mut self, entry_count: u64) {
        if self.lines.is_empty() {
            let room_bytes = entry_count.saturating_mul(2).max(ROOM_MIN).saturating_mul(BITS_PER_ID / 8);
            self.lines = vec![[0; 8]; room_bytes.min(BYTES_MAX) as usize / size_of::<Line>()];
        }
    }

    /// Takes in the ids of the next unit, which stand up to `last`.
    pub fn learn(&mut self, fingerprints: &[Fingerprint], last: Position) {
        fingerprints.iter().for_each(|fingerprint| self.add(*fingerprint));
        self.up_to = last;
    }

    /// Goes over from units up to one position to units up to a later one, where it knows all ids up to the first: those
    /// between them are added from now on, and until then are looked for where they stood. Where ids are too many for
    /// the room that there is, everything is forgotten, and can be learnt again.
    pub(super) fn cover(&mut self, known: Position, covered: Position) {
        if self.up_to != known || self.is_of_use != Use::Wanted {
            return;
        }
        self.make_room(covered.0.saturating_sub(known.0));
        self.up_to = covered;
        let room_bytes = (self.lines.len() * size_of::<Line>()) as u64;
        if room_bytes < BYTES_MAX && room_bytes * 8 < self.id_count * BITS_PER_ID {
            let (asked_block_count, is_of_use) = (self.asked_block_count, self.is_of_use);
            *self = Self { asked_block_count, is_of_use, ..Self::default() };
        }
    }

    /// Notes that some cannot be read.
    pub fn refuse(&mut self) {
        *self = Self { is_of_use: Use::Refused, ..Self::default() };
    }

    pub(super) fn add(&mut self, fingerprint: Fingerprint) {
        let (line, places) = self.probe(fingerprint);
        if let Some(line) = self.lines.get_mut(line) {
            self.id_count += 1;
            bits(places).for_each(|(word, bit)| line[word] |= bit);
        }
    }

    fn may_contain(&self, fingerprint: Fingerprint) -> bool {
        let (line, places) = self.probe(fingerprint);
        let line = self.lines.get(line);
        line.is_some_and(|line| bits(places).all(|(word, bit)| line[word] & bit != 0))
    }

    /// The line of a fingerprint, and a hash of which bits of it.
    fn probe(&self, fingerprint: Fingerprint) -> (usize, u64) {
        let number = fingerprint.number();
        (((number * self.lines.len() as u64) >> Fingerprint::BITS) as usize, mix(number))
    }
}

/// The words of a line that a hash names, and which bit of each.
fn bits(places: u64) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBE_COUNT).map(move |probe| {
        let place = places >> (9 * probe);
        ((place >> 6 & 7) as usize, 1 << (place & 63))
    })
}
