//! Learning the ids of all units, so that those of appends need not be asked of block after block.

use crate::error::Error;
use crate::host::Host;
use crate::layout::keys::{UnitRecord, tied};
use crate::layout::unit::UnitInfo;
use crate::layout::{BlockIndex, Filter, Fingerprint};
use crate::storage::{Area, Direction, KeyRange, PageRequest, Record, Request, Storage};

use super::Shared;
use super::catch_up::Slice;

/// How many units are read at a time: their filters come to about two megabytes.
const UNITS_AT_ONCE: usize = 8;

impl<S: Storage, H: Host> Shared<S, H> {
    /// Learns the ids of all events that units hold and that are not known yet. Where a filter cannot be read, it is
    /// left at asking the blocks.
    pub(super) async fn learn_ids(&self) -> Result<(), Error> {
        let mut slice = Slice::begin(&self.host);
        loop {
            self.check_open()?;
            let (seen, root) = (self.index.borrow().head(), self.root());
            let up_to = {
                let mut index = self.index.borrow_mut();
                let entry_count = root.units.iter().map(|unit| unit.entry_count).sum();
                index.ids_in_units().make_room(entry_count);
                index.ids_in_units().up_to()
            };
            let start = root.units.partition_point(|unit| unit.last <= up_to);
            let units: Vec<UnitInfo> = root.units.iter().skip(start).take(UNITS_AT_ONCE).copied().collect();
            if units.is_empty() {
                self.index.borrow_mut().ids_in_units().learn(&[], root.covered);
                return Ok(());
            }
            let pages = units.iter().map(filters_of).collect();
            let found = self.ask(Request { pages, ..Request::default() }).await?;
            if found.head.layout != root.layout {
                self.refresh().await?;
                continue;
            }
            let mut known_up_to = up_to;
            for (unit, records) in units.iter().zip(found.pages) {
                slice.yield_when_over(&self.host).await;
                let fingerprints = fingerprints_of(unit, records);
                let mut index = self.index.borrow_mut();
                // What was read is of use as long as the index knows the same log.
                let is_same = index.head().layout == seen.layout && seen.position <= index.head().position;
                let ids = index.ids_in_units();
                if !is_same || ids.up_to() != known_up_to {
                    break;
                }
                known_up_to = unit.last;
                match fingerprints {
                    Some(fingerprints) => ids.learn(&fingerprints, unit.last),
                    None => {
                        ids.refuse();
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// All filters of a unit.
fn filters_of(unit: &UnitInfo) -> PageRequest {
    let key = |index| Some(UnitRecord::Filter(BlockIndex(index)).key(unit.number));
    let range = KeyRange { from: key(0), to: key(unit.block_count.saturating_sub(1)) };
    PageRequest {
        area: Area::Units,
        range,
        direction: Direction::Forwards,
        count_max: unit.block_count as usize,
    }
}

/// The fingerprints of all ids of a unit. `None` where any filter cannot be read.
fn fingerprints_of(unit: &UnitInfo, records: Vec<Record>) -> Option<Vec<Fingerprint>> {
    let (mut fingerprints, filter_count) = (Vec::new(), records.len());
    for record in records {
        fingerprints.extend(Filter::from_bytes(&tied(&record.key, record.value)).ok()?.fingerprints());
    }
    (filter_count == unit.block_count as usize).then_some(fingerprints)
}
