//! The pages of one build that are at hand, and which have to be read.
//!
//! What stands here is of one state of the build, its [`Stamp`]. Of another state nothing is believed.

use std::rc::Rc;

use crate::codec::Corrupt;
use crate::storage::{Area, Direction, PageRequest, Record};

use super::keys;
use super::model::Stamp;
use super::{BuildId, Page, Tree};

/// So many pages that follow one another are read at once.
const PAGES_PER_READ: usize = 16;
/// So many pages are looked for at once. Of more the rest comes with the next look, which may find it read.
const WANTS_MAX: usize = 128;

/// What has to be read before it makes sense to look again.
#[derive(Debug)]
pub struct Lacks;

/// Pages at hand.
#[derive(Debug, Default)]
pub struct Shelf {
    stamp: Option<Stamp>,
    /// In the order of trees and fences.
    held: Vec<Held>,
    wants: Wants,
    /// Counts the times that it was tidied.
    round: u32,
}

/// A page, and how far it is known to reach.
#[derive(Debug, Clone)]
pub struct Held {
    tree: Tree,
    fence: Vec<u8>,
    /// Empty where nothing is stored between the fences.
    page: Rc<Page>,
    reach: Reach,
    used: u32,
}

/// Up to where a page holds all entries that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reach {
    /// Before this fence.
    Next(Vec<u8>),
    /// The end of the tree.
    End,
    /// This key at least, and its own last.
    Key(Vec<u8>),
}

/// What was not at hand.
#[derive(Debug, Default)]
pub struct Wants(Vec<Want>);

/// Pages that have to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Want {
    /// That which has the entry of this key, if there is one.
    Covering(Tree, Vec<u8>),
    /// Those behind the page with this fence.
    Following(Tree, Vec<u8>),
    /// Those before the page with this fence.
    Preceding(Tree, Vec<u8>),
}

impl Held {
    /// Its first key, or less.
    pub fn fence(&self) -> &[u8] {
        &self.fence
    }

    /// Its entries.
    pub fn page(&self) -> &Rc<Page> {
        &self.page
    }

    fn covers(&self, key: &[u8]) -> bool {
        match &self.reach {
            Reach::Next(next) => key < next.as_slice(),
            Reach::End => true,
            Reach::Key(last) => {
                key <= last.as_slice() || self.page.last_key().is_some_and(|last| key <= last)
            }
        }
    }
}

impl Shelf {
    /// Holds to this state of the build: what is here of another one is let go.
    pub fn hold_to(&mut self, stamp: Stamp) {
        if self.stamp != Some(stamp) {
            (self.stamp, self.held) = (Some(stamp), Vec::new());
        }
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        (self.stamp, self.held) = (None, Vec::new());
    }

    /// Of which state of the build it holds pages.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// What the pages take of memory, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.held.iter().map(|held| held.page.size_bytes()).fold(0, usize::saturating_add)
    }

    /// Lets go of the pages that were not used since this was called last.
    pub fn tidy(&mut self) {
        let round = self.round;
        self.held.retain(|held| held.used == round);
        self.round = round.wrapping_add(1);
    }

    /// The page that has the entry of a key, if there is one.
    pub fn covering(&mut self, tree: Tree, key: &[u8]) -> Result<&Held, Lacks> {
        let place = self
            .place_before(tree, key)
            .filter(|place| self.held.get(*place).is_some_and(|held| held.tree == tree && held.covers(key)));
        let Some(place) = place else {
            self.want(Want::Covering(tree, key.to_vec()));
            return Err(Lacks);
        };
        let round = self.round;
        let held = self.held.get_mut(place).ok_or(Lacks)?;
        held.used = round;
        Ok(held)
    }

    /// The page that comes next to that with this fence. `None` at the end of the tree.
    pub fn beside(&mut self, tree: Tree, fence: &[u8], direction: Direction) -> Result<Option<&Held>, Lacks> {
        match direction {
            Direction::Forwards => {
                let place = self.place_before(tree, fence);
                match place.and_then(|place| self.held.get(place)).map(|held| held.reach.clone()) {
                    Some(Reach::End) => return Ok(None),
                    Some(Reach::Next(next)) => return self.covering(tree, &next).map(Some),
                    _ => self.want(Want::Following(tree, fence.to_vec())),
                }
            }
            Direction::Backwards => {
                if fence.is_empty() {
                    return Ok(None);
                }
                let place = self.place_of(tree, fence).unwrap_or_else(|place| place).checked_sub(1);
                let is_beside = |held: &&Held| held.tree == tree && held.reach == Reach::Next(fence.to_vec());
                match place.filter(|place| self.held.get(*place).as_ref().is_some_and(is_beside)) {
                    Some(place) => return Ok(self.held.get(place)),
                    None => self.want(Want::Preceding(tree, fence.to_vec())),
                }
            }
        }
        Err(Lacks)
    }

    /// What was not at hand since this was called last.
    pub fn take_wants(&mut self) -> Wants {
        let mut wants = std::mem::take(&mut self.wants);
        // Of many keys those are looked for first that lie far apart: the pages between them are others.
        if WANTS_MAX < wants.0.len() {
            let stride = wants.0.len().div_ceil(WANTS_MAX);
            wants.0 = wants.0.into_iter().step_by(stride).collect();
        }
        wants
    }

    /// Takes in what was read of what was wanted.
    ///
    /// Errors: [`Corrupt`] for a page that is damaged.
    pub fn take(
        &mut self,
        build: BuildId,
        wants: &Wants,
        pages: Vec<Vec<Record>>,
    ) -> Result<(), Box<Corrupt>> {
        wants.0.iter().zip(pages).try_for_each(|(want, records)| self.take_one(build, want, records))
    }

    fn take_one(
        &mut self,
        build: BuildId,
        want: &Want,
        mut records: Vec<Record>,
    ) -> Result<(), Box<Corrupt>> {
        let is_last = records.len() < want.count_max();
        if !matches!(want, Want::Following(..)) {
            records.reverse();
        }
        let tree = want.tree();
        let mut pages = Vec::with_capacity(records.len());
        for Record { key, value } in records {
            let page = Page::from_bytes(&key, value)?;
            pages.extend(keys::fence_of(build, tree, &key).map(|fence| (fence.to_vec(), page)));
        }
        // Before the first page that is stored there is one without entries.
        let begins = match want {
            Want::Covering(..) => pages.is_empty(),
            Want::Preceding(..) => is_last,
            Want::Following(..) => false,
        };
        if begins && pages.first().is_none_or(|(fence, _)| !fence.is_empty()) {
            pages.insert(0, (Vec::new(), Page::default()));
        }
        let mut reach = match want {
            Want::Covering(_, key) => Reach::Key(key.clone()),
            Want::Following(_, after) => {
                let reach = pages.first().map_or(Reach::End, |(first, _)| Reach::Next(first.clone()));
                self.reach(tree, after, reach);
                if is_last { Reach::End } else { Reach::Key(Vec::new()) }
            }
            // The last of them is the page before which they are wanted.
            Want::Preceding(..) => Reach::Key(Vec::new()),
        };
        for (fence, page) in pages.into_iter().rev() {
            let next = Reach::Next(fence.clone());
            self.put(tree, fence, page, std::mem::replace(&mut reach, next));
        }
        Ok(())
    }

    /// Puts a page here, or learns that one which is here reaches further.
    fn put(&mut self, tree: Tree, fence: Vec<u8>, page: Page, reach: Reach) {
        match self.place_of(tree, &fence) {
            Ok(_) => self.reach(tree, &fence, reach),
            Err(place) => {
                let held = Held { tree, fence, page: Rc::new(page), reach, used: self.round };
                self.held.insert(place, held);
            }
        }
    }

    fn reach(&mut self, tree: Tree, fence: &[u8], reach: Reach) {
        let held = self.place_of(tree, fence).ok().and_then(|place| self.held.get_mut(place));
        if let Some(held) = held {
            held.reach = match (std::mem::replace(&mut held.reach, Reach::End), reach) {
                (Reach::Key(one), Reach::Key(other)) => Reach::Key(one.max(other)),
                (Reach::Key(_), known) | (known, _) => known,
            };
        }
    }

    /// Replaces a page by those that were made of it, in their order, of which the first has the same fence: none where
    /// nothing is left.
    pub fn replace(&mut self, tree: Tree, fence: &[u8], pages: Vec<(Vec<u8>, Rc<Page>)>) {
        let Ok(place) = self.place_of(tree, fence) else { return };
        let Held { mut reach, used, .. } = self.held.remove(place);
        let mut pages = pages;
        if pages.is_empty() {
            if fence.is_empty() {
                pages.push((Vec::new(), Rc::default()));
            } else if let Some(before) = place.checked_sub(1).and_then(|before| self.held.get_mut(before)) {
                // The page before it, where that is here, reaches as far as this one did.
                if before.tree == tree && before.reach == Reach::Next(fence.to_vec()) {
                    before.reach = reach;
                }
                return;
            }
        }
        for (fence, page) in pages.into_iter().rev() {
            let next = Reach::Next(fence.clone());
            self.held.insert(place, Held { tree, fence, page, reach, used });
            reach = next;
        }
    }

    /// Now the pages are those of another state of the build.
    pub fn become_of(&mut self, stamp: Stamp) {
        self.stamp = Some(stamp);
    }

    fn want(&mut self, want: Want) {
        if self.wants.0.last() != Some(&want) {
            self.wants.0.push(want);
        }
    }

    fn place_of(&self, tree: Tree, fence: &[u8]) -> Result<usize, usize> {
        self.held.binary_search_by(|held| (held.tree, held.fence.as_slice()).cmp(&(tree, fence)))
    }

    /// The place of the last page whose fence is not above a key.
    fn place_before(&self, tree: Tree, key: &[u8]) -> Option<usize> {
        match self.place_of(tree, key) {
            Ok(place) => Some(place),
            Err(place) => place.checked_sub(1),
        }
    }
}

impl Wants {
    /// What is to be read of a build for them.
    pub fn requests(&self, build: BuildId) -> Vec<PageRequest> {
        self.0.iter().map(|want| want.request(build)).collect()
    }
}

impl Want {
    fn tree(&self) -> Tree {
        let (Self::Covering(tree, _) | Self::Following(tree, _) | Self::Preceding(tree, _)) = self;
        *tree
    }

    fn count_max(&self) -> usize {
        match self {
            Self::Covering(..) => 1,
            Self::Following(..) | Self::Preceding(..) => PAGES_PER_READ,
        }
    }

    fn request(&self, build: BuildId) -> PageRequest {
        let (range, direction) = match self {
            Self::Covering(tree, key) | Self::Preceding(tree, key) => {
                (keys::pages_to(build, *tree, key), Direction::Backwards)
            }
            Self::Following(tree, fence) => {
                (keys::pages_from(build, *tree, &[fence.as_slice(), &[0]].concat()), Direction::Forwards)
            }
        };
        PageRequest { area: Area::Documents, range, direction, count_max: self.count_max() }
    }
}
