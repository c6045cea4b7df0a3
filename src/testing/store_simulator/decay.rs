//! Decay: what becomes of records that were derived from the log, and that can be derived again.

use crate::layout::keys::{ROOT, RunRecord, UnitRecord};
use crate::storage::{Area, Direction, Key, KeyRange, PageRequest, Record, Request};
use crate::testing::prng::Prng;

use super::world::World;

/// Records that are made again of what else is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Derived {
    Root,
    Header,
    Filter,
    RunIndex,
    Page,
}

const KINDS: [Derived; 5] =
    [Derived::Root, Derived::Header, Derived::Filter, Derived::RunIndex, Derived::Page];

impl Derived {
    /// What a record is. `None` for one that holds what nothing else does.
    fn of(area: Area, key: &Key) -> Option<Self> {
        match area {
            Area::Index if *key == Key::text(ROOT) => Some(Self::Root),
            Area::Index => RunRecord::of(key).map(|(_, record)| match record {
                RunRecord::Index => Self::RunIndex,
                RunRecord::Page(_) => Self::Page,
            }),
            Area::Units => match UnitRecord::of(key)?.1 {
                UnitRecord::Header => Some(Self::Header),
                UnitRecord::Filter(_) => Some(Self::Filter),
                UnitRecord::Block(_) | UnitRecord::Remains(_) => None,
            },
            _ => None,
        }
    }
}

impl World {
    /// Has one derived record decay, be it in use, staged, or of no more use.
    pub(super) fn decay(&mut self, prng: &mut Prng) {
        self.audit();
        let page = |area| PageRequest {
            area,
            range: KeyRange::default(),
            direction: Direction::Forwards,
            count_max: usize::MAX,
        };
        let pages = vec![page(Area::Units), page(Area::Index)];
        let found = match self.database.look(&Request { pages, ..Request::default() }) {
            Ok(found) => found,
            Err(fault) => return self.fail(format!("the head cannot be read: {fault:?}")),
        };
        let kind = *prng.pick(&KINDS);
        let records = [Area::Units, Area::Index].into_iter().zip(found.pages);
        let mut candidates: Vec<(Area, Record)> =
            records.flat_map(|(area, page)| page.into_iter().map(move |record| (area, record))).collect();
        candidates.retain(|(area, record)| Derived::of(*area, &record.key) == Some(kind));
        if candidates.is_empty() {
            return;
        }
        let (area, Record { key, value }) = candidates.swap_remove(prng.index(candidates.len()));
        let decayed = match prng.below(4) {
            0 => None,
            1 => Some(flipped(value, prng)),
            2 => Some(value[..prng.index(value.len().max(1))].to_vec()),
            // Of others than the root, the same stands under one key for ever.
            _ if kind == Derived::Root => {
                self.has_older_root = true;
                self.roots.get(prng.index(self.roots.len().max(1))).cloned()
            }
            // Another of its kind stands in its place.
            _ if candidates.is_empty() => None,
            _ => Some(candidates[prng.index(candidates.len())].1.value.clone()),
        };
        let length = decayed.as_ref().map(Vec::len);
        self.note(format!("{kind:?} {key:?} decays to {length:?} bytes"));
        match kind {
            Derived::Root => self.summary.decayed_roots += 1,
            _ => self.summary.decayed += 1,
        }
        self.database.replace(area, key, decayed);
    }
}

fn flipped(mut value: Vec<u8>, prng: &mut Prng) -> Vec<u8> {
    let place = prng.index(value.len().max(1));
    if let Some(byte) = value.get_mut(place) {
        *byte ^= 1 << prng.below(8);
    }
    value
}
