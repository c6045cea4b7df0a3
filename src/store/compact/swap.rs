//! The swap: the one write by which what was staged lives, and what it replaces is gone.

use std::ops::Range;

use crate::layout::StreamSummary;
use crate::layout::directory::RunIndex;
use crate::layout::keys::{RunRecord, UnitRecord, tied};
use crate::layout::root::{Root, RunInfo};
use crate::layout::unit::UnitHeader;
use crate::storage::{Area, Durability, GuardedWrite, Key, KeyRange, LayoutChange};

use super::claim::Stored;
use super::tail::TailSums;

/// What a step changes.
pub(super) struct Swap {
    /// The unit that is new, and the units that it replaces: indexes into [`Root::units`].
    pub unit: Option<(UnitHeader, Range<usize>)>,
    pub run: NewRun,
    /// The runs that the new one replaces: indexes into [`Root::runs`].
    pub runs: Range<usize>,
    /// The records that are no longer part of the tail.
    pub tail: Option<TailSums>,
    /// How many events are left out.
    pub erased_count: u64,
}

/// A run that is new.
pub(super) struct NewRun {
    pub info: RunInfo,
    pub index: RunIndex,
}

impl Swap {
    /// The write, and the root after it. `olders` is what units knew of the streams that have facts in the tail: what
    /// those hid may stand in them.
    pub fn into_write(self, claimed: &Stored, olders: Vec<Option<StreamSummary>>) -> (GuardedWrite, Root) {
        let mut root = claimed.root.clone();
        let mut write = claimed.write();
        write.layout = LayoutChange::Next { from: root.layout };
        root.layout = root.layout.wrapping_add(1);
        root.staged.clear();
        if let Some((header, replaced)) = self.unit {
            let key = UnitRecord::Header.key(header.info.number);
            let bytes = tied(&key, header.to_bytes());
            write.puts.push((Area::Units, key, bytes));
            root.commit_time = root.commit_time.max(header.info.commit_time);
            for unit in root.units.get(replaced.clone()).unwrap_or_default() {
                write.deletes.push((Area::Units, UnitRecord::range(unit.number)));
            }
            put_in_place(&mut root.units, replaced, header.info);
        }
        let NewRun { info, index } = self.run;
        let key = RunRecord::Index.key(info.number);
        let bytes = tied(&key, index.to_bytes());
        write.puts.push((Area::Index, key, bytes));
        for run in root.runs.get(self.runs.clone()).unwrap_or_default() {
            write.deletes.push((Area::Index, RunRecord::range(run.number)));
        }
        put_in_place(&mut root.runs, self.runs, info);
        if let Some(tail) = self.tail {
            root.covered = tail.last;
            tail.count(&mut root, olders);
            write.deletes.push((Area::Log, KeyRange { from: None, to: Some(Key::Position(root.covered)) }));
        }
        write.puts.push(Stored::put_of(&root));
        // What the log lets go of may have been flushed: what takes its place must be no less durable.
        write.durability = Durability::Strict;
        (write, root)
    }
}

impl TailSums {
    /// Adds them to the counts of a root.
    fn count(&self, root: &mut Root, olders: Vec<Option<StreamSummary>>) {
        root.stream_count = root.stream_count.saturating_add(self.begun_count);
        root.visible_count = root.visible_count.saturating_add(self.event_count);
        for ((_, hidden), older) in self.erasure.streams().iter().zip(olders) {
            root.stream_count += u64::from(older.is_none());
            let older = older.unwrap_or_default();
            let before = visible_count(&older);
            let after = visible_count(&older.then(hidden.summary.clone()));
            root.visible_count = root.visible_count.saturating_add(after).saturating_sub(before);
        }
    }
}

/// How many events of a stream are seen, if this is all that is known of it.
pub(super) fn visible_count(summary: &StreamSummary) -> u64 {
    let facts = summary.to_facts();
    facts.state.next_revision().0.saturating_sub(facts.visible_from.0)
}

/// Puts one in the place of those that it replaces.
fn put_in_place<T>(list: &mut Vec<T>, replaced: Range<usize>, new: T) {
    let after = list.split_off(replaced.end);
    list.truncate(replaced.start);
    list.push(new);
    list.extend(after);
}
