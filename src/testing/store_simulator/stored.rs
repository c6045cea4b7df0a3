//! The audit of what compaction made of the log: read beneath the store, and held against the model.

use std::collections::BTreeSet;

use crate::codec::DecodedRecord;
use crate::event::Position;
use crate::layout::BlockIndex;
use crate::layout::keys::{ROOT, RunRecord, UnitRecord, tied};
use crate::layout::root::Root;
use crate::layout::unit::decode_block;
use crate::storage::{Area, Direction, Found, Key, KeyRange, PageRequest, Record, Request};

use super::model_entry::ModelEntry;
use super::world::World;

impl World {
    /// Reads all that is stored, where its layout is another than at the last audit, and checks it.
    pub(super) fn audit_stored(&mut self) {
        let keys = vec![(Area::Index, Key::text(ROOT))];
        let Found { head, values, .. } = match self.database.look(&Request { keys, ..Request::default() }) {
            Ok(found) => found,
            Err(fault) => return self.fail(format!("the head cannot be read: {fault:?}")),
        };
        for root in values.into_iter().flatten() {
            if self.roots.last() != Some(&root) {
                self.roots.push(root);
            }
        }
        if head.layout == self.layout {
            return;
        }
        self.layout = head.layout;
        self.summary.layouts += 1;
        self.note(format!("the layout is {}", head.layout));
        if let Err(problem) = self.check_stored() {
            self.fail(format!("in layout {}: {problem}", head.layout));
        }
    }

    fn check_stored(&mut self) -> Result<(), String> {
        let page = |area| PageRequest {
            area,
            range: KeyRange::default(),
            direction: Direction::Forwards,
            count_max: usize::MAX,
        };
        let request = Request {
            keys: vec![(Area::Index, Key::text(ROOT))],
            pages: vec![page(Area::Log), page(Area::Units), page(Area::Index)],
            then: None,
        };
        let found = self.database.look(&request).map_err(|fault| format!("{fault:?}"))?;
        let Found { head, values, pages } = found;
        let [Some(bytes)] = values.as_slice() else { return Err("there is no root".to_owned()) };
        let root = Root::from_bytes(bytes).map_err(|corrupt| corrupt.to_string())?;
        if root.layout != head.layout {
            return Err(format!("the root is of layout {}", root.layout));
        }
        let [log, units, index] = pages.as_slice() else { return Err("pages are missing".to_owned()) };
        if !self.has_older_root {
            check_numbers(&root, units, index)?;
        }
        let entries = entries_of(&root, units, log, head.position)?;
        self.check_entries(&entries)
    }

    /// Every entry of the model stands there once, but for events that are hidden.
    fn check_entries(&mut self, entries: &[ModelEntry]) -> Result<(), String> {
        let mut positions = BTreeSet::new();
        let all = self.model.prefix(self.model.head());
        for entry in entries {
            let expected = (entry.position as usize).checked_sub(1).and_then(|index| all.get(index));
            if expected != Some(entry) {
                return Err(format!("{entry:?} is stored, and not {expected:?}"));
            }
            if !positions.insert(entry.position) {
                return Err(format!("{entry:?} is stored twice"));
            }
        }
        let seen: BTreeSet<u64> =
            self.model.visible(self.model.head()).into_iter().map(|entry| entry.position).collect();
        let missing: Vec<u64> =
            all.iter().map(|entry| entry.position).filter(|position| !positions.contains(position)).collect();
        if let Some(lost) = missing.iter().find(|position| seen.contains(position)) {
            return Err(format!("the entry at {lost} is lost"));
        }
        self.summary.erased += (missing.len() as u64).saturating_sub(self.erased.len() as u64);
        self.erased.extend(missing);
        Ok(())
    }
}

/// Whatever stands under a number lives, or is staged.
fn check_numbers(root: &Root, units: &[Record], index: &[Record]) -> Result<(), String> {
    let lives = |number: u64| root.units.iter().any(|unit| unit.number.0 == number);
    let of_units = units.iter().filter_map(|record| Some(UnitRecord::of(&record.key)?.0.0));
    let run_lives = |number: u64| root.runs.iter().any(|run| run.number.0 == number);
    let of_runs = index.iter().filter_map(|record| Some(RunRecord::of(&record.key)?.0.0));
    let mut dead = of_units
        .filter(|number| !lives(*number))
        .chain(of_runs.filter(|number| !run_lives(*number)))
        // What makes a directory again claims nothing: it stages where no number was given yet.
        .filter(|number| !root.staged.contains(number) && *number < root.next_number);
    match dead.next() {
        None => Ok(()),
        Some(number) => Err(format!("{number} is neither alive nor staged: {root:?}")),
    }
}

/// All entries of units and tail, which cover the log up to its head without a gap.
fn entries_of(
    root: &Root,
    units: &[Record],
    log: &[Record],
    head: Position,
) -> Result<Vec<ModelEntry>, String> {
    let mut entries = Vec::new();
    let mut next = Position(1);
    for unit in &root.units {
        if unit.first != next {
            return Err(format!("a unit begins at {} and not at {next}", unit.first));
        }
        next = unit.last.next();
        for block in (0..unit.block_count).map(BlockIndex) {
            let key = UnitRecord::Block(block).key(unit.number);
            let Some(record) = units.iter().find(|record| record.key == key) else {
                return Err(format!("{block:?} of {:?} is missing", unit.number));
            };
            let block = decode_block(&tied(&key, record.value.clone()));
            let decoded = block.map_err(|corrupt| corrupt.to_string())?;
            entries.extend(decoded.entries().map(ModelEntry::from));
        }
    }
    if root.covered.next() != next {
        return Err(format!("{} is covered, and units end before {next}", root.covered));
    }
    for record in log {
        let Key::Position(first) = record.key else { return Err("a key of the log is bytes".to_owned()) };
        if first != next {
            return Err(format!("the tail goes on at {first} and not at {next}"));
        }
        let decoded = DecodedRecord::decode(&record.value, first).map_err(|corrupt| corrupt.to_string())?;
        next = decoded.last().next();
        entries.extend(decoded.entries().map(ModelEntry::from));
    }
    if head.next() == next { Ok(entries) } else { Err(format!("the log ends before {next}, at {head}")) }
}
