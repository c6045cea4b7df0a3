//! The records of the log, by the positions that they hold.

use crate::event::Position;

/// The records of the log, in order.
#[derive(Debug, Default)]
pub struct Segments {
    segments: Vec<Segment>,
    size_bytes: u64,
    damaged_count: usize,
}

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its first position, which is its key.
    pub first: Position,
    /// Its last position.
    pub last: Position,
    /// The length of its stored bytes.
    pub size_bytes: u64,
    /// What is wrong with it.
    pub damage: Option<Damage>,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What was found.
    pub problem: String,
}

impl Segment {
    /// A record that can be read.
    pub fn whole(first: Position, last: Position, size_bytes: u64) -> Self {
        Self { first, last, size_bytes, damage: None }
    }

    /// A record that cannot be read.
    pub fn damaged(first: Position, size_bytes: u64, problem: String) -> Self {
        Self { first, last: first, size_bytes, damage: Some(Damage { problem }) }
    }

    /// Positions that no record holds.
    pub fn missing(first: Position, last: Position) -> Self {
        let problem = format!("no record holds the positions {first} to {last}");
        Self { first, last, size_bytes: 0, damage: Some(Damage { problem }) }
    }
}

impl Segments {
    /// All records, in order.
    pub fn all(&self) -> &[Segment] {
        &self.segments
    }

    /// The length of the stored bytes of all records.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The record with this first position.
    pub fn get(&self, first: Position) -> Option<&Segment> {
        self.all().get(self.place_of(first)).filter(|segment| segment.first == first)
    }

    /// The place among all records of the first that holds this position or a later one.
    pub fn place_of(&self, position: Position) -> usize {
        self.segments.partition_point(|segment| segment.last < position)
    }

    /// The first record that cannot be read.
    pub fn first_damaged(&self) -> Option<&Segment> {
        // Looking costs time, and damage is rare.
        if self.damaged_count == 0 {
            return None;
        }
        self.segments.iter().find(|segment| segment.damage.is_some())
    }

    /// Marks a record that turned out to be damaged after it had been read once. One that is no longer there, because a
    /// unit covers it by now, is nobody's damage.
    pub fn mark_damaged(&mut self, first: Position, problem: String) {
        let place = self.place_of(first);
        if let Some(segment) = self.segments.get_mut(place)
            && segment.first == first
            && segment.damage.is_none()
        {
            segment.damage = Some(Damage { problem });
            self.damaged_count += 1;
        }
    }

    pub(super) fn push(&mut self, segment: Segment) {
        self.damaged_count += usize::from(segment.damage.is_some());
        self.size_bytes += segment.size_bytes;
        self.segments.push(segment);
    }

    /// Whether a record holds positions on both sides of the end of `covered`.
    pub(super) fn is_cut_by(&self, covered: Position) -> bool {
        self.segments
            .get(self.place_of(covered))
            .is_some_and(|segment| segment.first <= covered && covered < segment.last)
    }

    /// Forgets the records up to a position.
    pub(super) fn forget_up_to(&mut self, covered: Position) {
        let count = self.place_of(covered.next());
        for segment in self.segments.drain(..count) {
            self.damaged_count -= usize::from(segment.damage.is_some());
            self.size_bytes -= segment.size_bytes;
        }
    }

    pub(super) fn last_is_damaged(&self) -> bool {
        self.segments.last().is_some_and(|segment| segment.damage.is_some())
    }

    pub(super) fn extend_damage_to(&mut self, last: Position) {
        if let Some(segment) = self.segments.last_mut() {
            segment.last = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_record_that_is_named_is_marked() {
        let segment = |first, last| Segment::whole(Position(first), Position(last), 10);
        for (named, marked) in [(5, None), (10, None), (11, Some(11)), (15, None), (21, Some(21)), (31, None)]
        {
            let mut segments = Segments::default();
            segments.push(segment(11, 20));
            segments.push(segment(21, 30));
            segments.mark_damaged(Position(named), "lost".to_owned());
            let first_damaged = segments.first_damaged().map(|segment| segment.first.0);
            assert_eq!(first_damaged, marked, "the record at {named}");
        }
    }
}
