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
            let replaced = root.units.splice(replaced, [header.info]);
            deletes.extend(replaced.map(|unit| (Area::Units, UnitRecord::range(unit.number))));
        }
        let NewRun { info, index } = self.run;
        puts.push((Area::Index, RunRecord::Index.key(info.number), index.to_bytes()));
        let replaced = root.runs.splice(self.runs, [info]);
        deletes.extend(replaced.map(|run| (Area::Index, RunRecord::range(run.number))));
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
