//! Puts the entries of a unit into their order, a part of it at a time.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::ControlFlow;

use crate::codec::Corrupt;
use crate::event::UnixMillis;
use crate::layout::directory::PageWriter;
use crate::layout::sealed;
use crate::sort::Sorting;

use super::arranged::ArrangedUnit;
use super::build::{Row, UnitBuilder};

/// So many pairs of names are compared in one step.
pub(super) const PAIRS_PER_STEP: usize = 8_192;
/// So many streams are given their places in one step.
const STREAMS_PER_STEP: usize = 8_192;
/// So many entries are put into their places in one step.
const ROWS_PER_STEP: usize = 16_384;

/// What is done of it. Streams are put in order, then each is given the place of its first row, and then, counted
/// before, each row goes to its place at once.
#[derive(Debug)]
pub(super) struct Arranging {
    streams: Sorting,
    /// How many of the streams have their places.
    placed_streams: usize,
    /// Where the next row of each stream goes.
    next_places: Vec<u32>,
    next_place: u32,
    writer: PageWriter,
    /// The pages of what remains of streams of which events were erased.
    remains: Vec<Vec<u8>>,
    /// How many of the rows are in their places.
    placed_rows: usize,
    ordered: Vec<Row>,
}

impl UnitBuilder {
    /// Goes on with putting the entries into the order of the unit, for a few milliseconds at most. `Break` where
    /// [`UnitBuilder::arrange`] has nothing left to do that takes long. Nothing may be added any more.
    pub fn arrange_step(&mut self) -> ControlFlow<()> {
        // While records are taken in, all keys are those of streams.
        let mut arranging = self.arranging.take().unwrap_or_else(|| Arranging {
            streams: Sorting::new((0..self.known.len() as u32).collect()),
            placed_streams: 0,
            next_places: vec![0; self.known.len()],
            next_place: 0,
            writer: PageWriter::default(),
            remains: Vec::new(),
            placed_rows: 0,
            ordered: Vec::new(),
        });
        let flow = arranging.step(self);
        self.arranging = Some(arranging);
        flow
    }

    /// Puts the entries into the order of the unit: all that is left to do of it. Errors: [`Corrupt`] where the
    /// entries of a stream did not come in the order of their positions.
    pub fn arrange(mut self) -> Result<ArrangedUnit, Box<Corrupt>> {
        while self.arrange_step().is_continue() {}
        if self.taken.iter().any(|taken| taken.is_in_disorder) {
            return Err(sealed::body(&[]).corrupt("the entries of a stream are not in their order"));
        }
        if self.info.commit_time == UnixMillis(i64::MIN) {
            self.info.commit_time = UnixMillis::default();
        }
        let Some(Arranging { streams, remains, ordered, .. }) = self.arranging.take() else {
            return Err(sealed::body(&[]).corrupt("the unit is not in its order"));
        };
        self.rows = ordered;
        Ok(ArrangedUnit::new(self, streams.into_numbers(), remains))
    }
}

impl Arranging {
    fn step(&mut self, builder: &UnitBuilder) -> ControlFlow<()> {
        if self.streams.step(PAIRS_PER_STEP, &|one, other| builder.known.is_less(one, other)).is_continue() {
            return ControlFlow::Continue(());
        }
        if self.placed_streams < self.next_places.len() {
            self.place_streams(builder);
            return ControlFlow::Continue(());
        }
        self.place_rows(&builder.rows)
    }

    /// Gives some streams the places of their rows, and writes what remains of them: at most a page.
    fn place_streams(&mut self, builder: &UnitBuilder) {
        for _ in 0..STREAMS_PER_STEP {
            let Some(stream) = self.streams.numbers().get(self.placed_streams).copied() else { break };
            self.placed_streams = self.placed_streams.saturating_add(1);
            let Some(taken) = builder.taken.get(stream as usize) else { continue };
            if let Some(place) = self.next_places.get_mut(stream as usize) {
                *place = self.next_place;
            }
            self.next_place = self.next_place.saturating_add(taken.row_count);
            if let Some(entry) = builder.known.entry(stream).filter(|_| taken.is_erased) {
                self.writer.push(&entry.key, &entry.summary);
                if self.writer.is_full() {
                    break;
                }
            }
        }
        let is_last = self.placed_streams == self.next_places.len();
        if self.writer.is_full() || is_last && !self.writer.is_empty() {
            self.remains.push(self.writer.seal().0);
        }
    }

    fn place_rows(&mut self, rows: &[Row]) -> ControlFlow<()> {
        if self.ordered.len() < rows.len() {
            self.ordered = rows.to_vec();
        }
        let end = self.placed_rows.saturating_add(ROWS_PER_STEP).min(rows.len());
        for row in rows.get(self.placed_rows..end).unwrap_or_default() {
            let Some(next) = self.next_places.get_mut(row.stream as usize) else { continue };
            if let Some(place) = self.ordered.get_mut(*next as usize) {
                *place = *row;
            }
            *next = next.saturating_add(1);
        }
        self.placed_rows = end;
        if end < rows.len() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
