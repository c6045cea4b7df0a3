//! The swap: the one write by which what was staged lives, and what it replaces is gone.

use std::ops::Range;

use crate::event::Position;
use crate::layout::directory::RunIndex;
use crate::layout::keys::{RunRecord, UnitRecord};
use crate::layout::root::{Root, RunInfo};
use crate::layout::unit::UnitHeader;
use crate::storage::{Area, Durability, GuardedWrite, Key, KeyRange, LayoutChange};

use super::claim::Stored;

/// What a step changes.
pub(super) struct Swap {
    /// The unit that is new, and the units that it replaces: indexes into [`Root::units`].
    pub unit: Option<(UnitHeader, Range<usize>)>,
    pub run: NewRun,
    /// The runs that the new one replaces: indexes into [`Root::runs`].
    pub runs: Range<usize>,
    pub tail: Option<TailCounts>,
}

/// A run that is new.
pub(super) struct NewRun {
    pub info: RunInfo,
    pub index: RunIndex,
}

/// What the records that are no longer part of the tail add up to.
pub(super) struct TailCounts {
    /// The last position of them.
    pub last: Position,
    pub stream_count: u64,
    pub visible_count: u64,
}

impl Swap {
    /// The write, and the root after it.
    pub fn into_write(self, claimed: &Stored) -> (GuardedWrite, Root) {
        let mut root = claimed.root.clone();
        let layout = LayoutChange::Next { from: root.layout };
        root.layout = root.layout.wrapping_add(1);
        root.staged.clear();
        let (mut deletes, mut puts) = (Vec::new(), Vec::new());
        if let Some((header, replaced)) = self.unit {
            puts.push((Area::Units, UnitRecord::Header.key(header.info.number), header.to_bytes()));
            root.commit_time = root.commit_time.max(header.info.commit_time);
            for unit in root.units.get(replaced.clone()).unwrap_or_default() {
                deletes.push((Area::Units, UnitRecord::range(unit.number)));
            }
            put_in_place(&mut root.units, replaced, header.info);
        }
        let NewRun { info, index } = self.run;
        puts.push((Area::Index, RunRecord::Index.key(info.number), index.to_bytes()));
        for run in root.runs.get(self.runs.clone()).unwrap_or_default() {
            deletes.push((Area::Index, RunRecord::range(run.number)));
        }
        put_in_place(&mut root.runs, self.runs, info);
        if let Some(TailCounts { last, stream_count, visible_count }) = self.tail {
            root.covered = last;
            root.stream_count = stream_count;
            root.visible_count = visible_count;
            deletes.push((Area::Log, KeyRange { from: None, to: Some(Key::Position(last)) }));
        }
        let expectation = claimed.expectation();
        let (area, key, _) = expectation.clone();
        puts.push((area, key, root.to_bytes()));
        // What the log lets go of may have been flushed: what takes its place must be no less durable.
        let durability = Durability::Strict;
        (GuardedWrite { expect: vec![expectation], deletes, puts, layout, durability }, root)
    }
}

/// Puts one in the place of those that it replaces.
fn put_in_place<T>(list: &mut Vec<T>, replaced: Range<usize>, new: T) {
    let after = list.split_off(replaced.end);
    list.truncate(replaced.start);
    list.push(new);
    list.extend(after);
}
