//! Which events are hidden, as far as facts say that are at hand.

use std::cell::Cell;
use std::ops::ControlFlow;

use crate::codec::{Body, Entry};
use crate::event::{Fact, Position, Revision, StreamName};
use crate::layout::StreamSummary;
use crate::store::parts::{Item, Part};
use crate::table::ByStream;

use super::Halt;
use super::reader::{Next, Reader};
use super::work::{Desk, Work};

/// What facts hid. A fact hides what is there when it is written, and nothing that comes later.
#[derive(Default)]
pub(super) struct Erasure {
    streams: ByStream<Hidden>,
}

/// What is hidden of a stream.
#[derive(Default)]
pub(super) struct Hidden {
    /// Events before this revision.
    before: Revision,
    /// Events before this position.
    until: Position,
    /// Whether events of it were met that are hidden.
    is_met: Cell<bool>,
    /// What the records say in which the facts were met.
    pub summary: StreamSummary,
}

impl Erasure {
    /// The streams of which anything may be hidden.
    pub fn streams(&self) -> &[(StreamName, Hidden)] {
        self.streams.rows()
    }

    /// Forgets some streams: of each, in the order of [`Erasure::streams`], is said whether it stays.
    pub fn retain(&mut self, stays: &[bool]) {
        // The last one takes the place of one that goes, and was looked at before it.
        for (number, _) in stays.iter().enumerate().rev().filter(|(_, stays)| !**stays) {
            self.streams.swap_remove(number);
        }
    }

    /// What is known of a stream that has facts.
    pub fn stream_mut(&mut self, stream: &str) -> Option<&mut Hidden> {
        self.streams.get_mut(stream)
    }

    /// Takes note of an entry, where it is a fact.
    pub fn note(&mut self, entry: &Entry<'_>) {
        let Body::Fact(fact) = &entry.body else { return };
        if self.streams.get(entry.stream).is_none()
            && let Ok(name) = StreamName::new(entry.stream)
        {
            self.streams.insert(&name, Hidden::default());
        }
        if let Some(hidden) = self.streams.get_mut(entry.stream) {
            match fact {
                Fact::Truncated { before } => hidden.before = hidden.before.max(*before),
                Fact::Deleted | Fact::Tombstoned => hidden.until = hidden.until.max(entry.position),
            }
        }
    }

    /// Whether an event is hidden. Facts never are.
    pub fn hides(&self, entry: &Entry<'_>) -> bool {
        let Body::Event { revision, .. } = entry.body else { return false };
        let Some(hidden) = self.streams.get(entry.stream) else { return false };
        let is_hidden = revision < hidden.before || entry.position < hidden.until;
        if is_hidden {
            hidden.is_met.set(true);
        }
        is_hidden
    }

    /// The streams of which hidden events were met since this was asked last.
    pub fn take_met(&self) -> Vec<StreamName> {
        let met = self.streams.rows().iter().filter(|(_, hidden)| hidden.is_met.take());
        met.map(|(stream, _)| stream.clone()).collect()
    }
}

/// Reads blocks that hold facts, and takes note of these.
pub(super) struct FactsWork {
    pub erasure: Erasure,
    reader: Reader,
}

impl FactsWork {
    /// Adds to what is known of other blocks.
    pub fn new(erasure: Erasure, blocks: Vec<Part>) -> Self {
        Self { erasure, reader: Reader::new(blocks.into_iter(), None) }
    }
}

impl Work for FactsWork {
    fn advance(&mut self, desk: &mut Desk) -> Result<ControlFlow<()>, Halt> {
        match self.reader.next(desk)? {
            Next::Item(_, Item::Entries(block)) => {
                block.entries().for_each(|entry| self.erasure.note(&entry));
            }
            Next::Item(..) | Next::Pending => {}
            Next::End => return Ok(ControlFlow::Break(())),
        }
        Ok(ControlFlow::Continue(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_stay_of_which_that_is_said() {
        for count in 0..9_usize {
            for set in 0..1_u32 << count {
                let names: Vec<String> = (0..count).map(|number| format!("stream-{number}")).collect();
                let mut erasure = Erasure::default();
                for name in &names {
                    let name = StreamName::new(name.as_str()).unwrap();
                    erasure.streams.insert(&name, Hidden::default());
                }
                let stays: Vec<bool> = (0..count).map(|number| set >> number & 1 == 1).collect();
                erasure.retain(&stays);
                for (name, stays) in names.iter().zip(&stays) {
                    assert_eq!(erasure.stream_mut(name).is_some(), *stays, "{name} of {stays:?}");
                }
                assert_eq!(erasure.streams().len(), set.count_ones() as usize);
            }
        }
    }
}
