//! Under which keys the records of projections are kept, in [`crate::storage::Area::Documents`].

use crate::storage::{Key, KeyRange};

/// What the key of a model begins with; its name follows.
const MODEL: u8 = 0;
/// What the keys of pages begin with; build, tree and fence follow.
const PAGE: u8 = 1;
/// Above what any tree is, and above all bytes that a fence begins with.
const ABOVE: u8 = u8::MAX;

/// Names a build: eight bytes by chance, because nobody counts over all tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildId(pub [u8; 8]);

/// Which of the trees of a build: that of the documents is 0, those of the indexes follow in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tree(pub u8);

impl Tree {
    /// The documents, by their keys.
    pub const DOCUMENTS: Self = Self(0);

    /// The entries of the index at this place.
    pub fn of_index(place: usize) -> Self {
        Self(u8::try_from(place).map_or(ABOVE, |place| place.saturating_add(1)))
    }
}

/// The key of the model of this name.
pub fn model(name: &str) -> Key {
    Key::Bytes([&[MODEL], name.as_bytes()].concat())
}

/// The key of the page with this fence; also the bound of those with higher ones.
pub fn page(build: BuildId, tree: Tree, fence: &[u8]) -> Key {
    Key::Bytes([&[PAGE], build.0.as_slice(), &[tree.0], fence].concat())
}

/// The fence of the page under this key. `None` for a key that is none of the tree.
pub fn fence_of(build: BuildId, tree: Tree, key: &Key) -> Option<&[u8]> {
    let Key::Bytes(bytes) = key else { return None };
    bytes.strip_prefix(&[PAGE])?.strip_prefix(&build.0)?.strip_prefix(&[tree.0])
}

/// The pages of a tree from this fence on.
pub fn pages_from(build: BuildId, tree: Tree, fence: &[u8]) -> KeyRange {
    KeyRange { from: Some(page(build, tree, fence)), to: Some(page(build, tree, &[ABOVE])) }
}

/// The pages of a tree up to this fence, which is among them.
pub fn pages_to(build: BuildId, tree: Tree, fence: &[u8]) -> KeyRange {
    KeyRange { from: Some(page(build, tree, &[])), to: Some(page(build, tree, fence)) }
}

/// All pages of a build.
pub fn pages_of(build: BuildId) -> KeyRange {
    KeyRange { from: Some(page(build, Tree::DOCUMENTS, &[])), to: Some(page(build, Tree(ABOVE), &[])) }
}
