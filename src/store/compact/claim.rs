//! The claim of a number: what a step writes stands under it, and does not live before the swap.

use crate::layout::keys::{self, RunRecord, UnitRecord};
use crate::layout::root::Root;
use crate::layout::{RunNumber, UnitNumber};
use crate::storage::{Area, Durability, GuardedWrite, Head, Key, KeyRange, LayoutChange};

/// The root as it stands in the storage.
#[derive(Clone)]
pub(super) struct Stored {
    pub head: Head,
    pub root: Root,
    /// `None` where nothing was ever compacted.
    pub bytes: Option<Vec<u8>>,
    /// What stands under the number that was claimed here, as long as the claim holds.
    pub token: Option<Token>,
}

/// What no other claim of a number has.
pub(super) type Token = keys::Claim;

impl Stored {
    /// A write of nothing yet, which holds as long as nobody else has written the root, or claimed the number: after a
    /// root that was lost, its bytes may come again.
    pub fn write(&self) -> GuardedWrite {
        let mut expect = vec![(Area::Index, Key::text(keys::ROOT), self.bytes.clone())];
        if let Some(token) = self.token {
            expect.push((Area::Index, key_of_claim(self.number()), Some(token.to_vec())));
        }
        GuardedWrite {
            expect,
            deletes: Vec::new(),
            puts: Vec::new(),
            layout: LayoutChange::Keep,
            durability: Durability::Relaxed,
        }
    }

    /// What is put to write a root.
    pub fn put_of(root: &Root) -> (Area, Key, Vec<u8>) {
        (Area::Index, Key::text(keys::ROOT), root.to_bytes())
    }

    /// The number that was claimed.
    pub fn number(&self) -> u64 {
        self.root.staged.first().copied().unwrap_or_default()
    }

    /// Claims a number, and gives up all others, whose holders are gone: whoever holds the lock is alone. Where there
    /// are no locks, a holder who is not gone finds that the root changed, or that its token is gone. And the write of that.
    pub fn claim(&self, chance: Token) -> (Self, GuardedWrite) {
        let number = self.root.next_number;
        let token = keys::claim_of(&key_of_claim(number), chance);
        let root = Root { staged: vec![number], next_number: number.saturating_add(1), ..self.root.clone() };
        let mut write = self.write_of_claims(&root);
        // Under numbers that were never given may stand what a rebuilding left that came to nothing, or what a
        // compaction had claimed in a root that was lost.
        let from = UnitRecord::Header.key(UnitNumber(number));
        write.deletes.push((Area::Units, KeyRange { from: Some(from), to: None }));
        let (from, to) =
            (RunRecord::Page(0).key(RunNumber(number)), RunRecord::Index.key(RunNumber(u64::MAX)));
        write.deletes.push((Area::Index, KeyRange { from: Some(from), to: Some(to) }));
        write.puts.push((Area::Index, key_of_claim(number), token.to_vec()));
        (Self { head: self.head, bytes: Some(root.to_bytes()), root, token: Some(token) }, write)
    }

    /// Gives a claim up.
    pub fn give_up(&self) -> GuardedWrite {
        self.write_of_claims(&Root { staged: Vec::new(), ..self.root.clone() })
    }

    /// Writes a root that has other claims, and deletes what stands under those of this one.
    fn write_of_claims(&self, root: &Root) -> GuardedWrite {
        // After a root was set back, what is deleted may live in the layout that came after it.
        let mut write = GuardedWrite { layout: LayoutChange::Hold { at: self.root.layout }, ..self.write() };
        write.puts.push(Self::put_of(root));
        for number in &self.root.staged {
            write.deletes.push((Area::Units, UnitRecord::range(UnitNumber(*number))));
            write.deletes.push((Area::Index, RunRecord::range(RunNumber(*number))));
        }
        write
    }
}

/// Where a claim stands until it is given up, or the index of a run comes there that lives. Whoever deletes what is staged
/// under the number deletes it too.
pub(super) fn key_of_claim(number: u64) -> Key {
    RunRecord::Index.key(RunNumber(number))
}
