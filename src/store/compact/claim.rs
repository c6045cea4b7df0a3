//! The claim of a number: what a step writes stands under it, and does not live before the swap.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::host::Host;
use crate::layout::keys::{self, RunRecord, UnitRecord};
use crate::layout::root::Root;
use crate::layout::{RunNumber, UnitNumber};
use crate::storage::{
    Area, Durability, GuardedWrite, Head, Key, KeyRange, LayoutChange, Request, Storage, Written,
};

use crate::store::layout::usable_root;

use super::{Compactor, Halt};

/// The root as it stands in the storage.
#[derive(Clone)]
pub(super) struct Stored {
    pub head: Head,
    pub root: Root,
    /// `None` where nothing was ever compacted.
    pub bytes: Option<Vec<u8>>,
}

impl Stored {
    /// What holds as long as no other compaction has written the root.
    pub fn expectation(&self) -> (Area, Key, Option<Vec<u8>>) {
        (Area::Index, Key::text(keys::ROOT), self.bytes.clone())
    }

    /// The number that was claimed.
    pub fn number(&self) -> u64 {
        self.root.staged.first().copied().unwrap_or_default()
    }

    /// What may stand under numbers that nobody holds: those that were staged, and those that were never given, but
    /// to a rebuilding that came to nothing.
    fn dead_records(&self) -> Vec<(Area, KeyRange)> {
        let mut dead: Vec<_> = self.root.staged.iter().flat_map(|number| records_of(*number)).collect();
        let from = Some(RunRecord::Page(0).key(RunNumber(self.root.next_number)));
        let to = Some(RunRecord::Index.key(RunNumber(u64::MAX)));
        dead.push((Area::Index, KeyRange { from, to }));
        dead
    }

    /// The root with one more number claimed, and all others given up, whose holders are gone: whoever holds the
    /// lock is alone. Where there are no locks, a holder who is not gone finds that the root changed.
    fn with_claim(&self) -> Self {
        let number = self.root.next_number;
        let root = Root { staged: vec![number], next_number: number.saturating_add(1), ..self.root.clone() };
        Self { head: self.head, bytes: Some(root.to_bytes()), root }
    }
}

impl<S: Storage, H: Host> Compactor<'_, S, H> {
    /// Reads the root. Fails where it is not of the layout of the log, and has to be made again.
    pub(super) fn read_root(&mut self) -> LocalBoxFuture<'_, Result<Stored, Halt>> {
        async move {
            let keys = vec![(Area::Index, Key::text(keys::ROOT))];
            let mut found = self.shared.ask(Request { keys, pages: Vec::new() }).await?;
            let (head, bytes) = (found.head, found.values.pop().flatten());
            let root = usable_root(head, bytes.as_deref()).ok_or(Halt::Directory)?;
            self.layout = head.layout;
            Ok(Stored { head, root, bytes })
        }
        .boxed_local()
    }

    /// Claims a number, and deletes what stands under those whose holders are gone.
    pub(super) async fn claim(&self, stored: &Stored) -> Result<Stored, Halt> {
        let claimed = stored.with_claim();
        let (area, key, _) = claimed.expectation();
        let write = GuardedWrite {
            expect: vec![stored.expectation()],
            deletes: stored.dead_records(),
            puts: vec![(area, key, claimed.bytes.clone().unwrap_or_default())],
            layout: LayoutChange::Keep,
            durability: Durability::Relaxed,
        };
        self.write(write).await?;
        Ok(claimed)
    }

    /// Gives a claim up, and deletes what was staged. Where that fails, the next claim does it.
    pub(super) async fn give_up(&self, claimed: &Stored) {
        let root = Root { staged: Vec::new(), ..claimed.root.clone() };
        let (area, key, _) = claimed.expectation();
        let write = GuardedWrite {
            expect: vec![claimed.expectation()],
            deletes: records_of(claimed.number()).to_vec(),
            puts: vec![(area, key, root.to_bytes())],
            layout: LayoutChange::Keep,
            durability: Durability::Relaxed,
        };
        let _ = self.write(write).await;
    }

    /// Writes, unless the root was changed by another.
    pub(super) fn write(&self, mut write: GuardedWrite) -> LocalBoxFuture<'_, Result<(), Halt>> {
        async move {
            let storage = &self.shared.storage;
            write.durability = write.durability.min(storage.strongest_durability());
            match storage.write(write).await? {
                Written::Yes => Ok(()),
                Written::Refused => Err(Halt::Overtaken),
            }
        }
        .boxed_local()
    }
}

/// Everything that can stand under a number.
fn records_of(number: u64) -> [(Area, KeyRange); 2] {
    [(Area::Units, UnitRecord::range(UnitNumber(number))), (Area::Index, RunRecord::range(RunNumber(number)))]
}
