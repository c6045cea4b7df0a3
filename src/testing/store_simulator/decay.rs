//! Decay: what becomes of records that were derived from the log, and that can be derived again.

use crate::layout::keys::{ROOT, RunRecord, UnitRecord};
use crate::layout::root::Root;
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
        let found = match self.database.look(&Request { keys: Vec::new(), pages }) {
            Ok(found) => found,
            Err(fault) => return self.fail(format!("the head cannot be read: {fault:?}")),
        };
        let kind = *prng.pick(&KINDS);
        let layout = found.head.layout;
        let records = [Area::Units, Area::Index].into_iter().zip(found.pages);
        let mut candidates: Vec<(Area, Record)> =
            records.flat_map(|(area, page)| page.into_iter().map(move |record| (area, record))).collect();
        if !self.may_decay(kind, &candidates, layout) {
            return;
        }
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
        self.decayed.insert(key.clone());
        self.database.replace(area, key, decayed);
    }

    /// Whether what a record says can still be found out without it: one thing is lost at a time. The root is made again of
    /// the headers of units, and says itself what a header does. Where there are no locks, it is also what tells
    /// compactions apart.
    fn may_decay(&self, kind: Derived, records: &[(Area, Record)], layout: u64) -> bool {
        let root =
            records.iter().find(|(area, record)| Derived::of(*area, &record.key) == Some(Derived::Root));
        let root = root.and_then(|(_, root)| Root::from_bytes(&root.value).ok());
        let Some(root) = root.filter(|root| root.layout == layout) else { return false };
        let mut headers = root.units.iter().map(|unit| UnitRecord::Header.key(unit.number));
        kind != Derived::Root || self.has_locks && headers.all(|key| !self.decayed.contains(&key))
    }
}

fn flipped(mut value: Vec<u8>, prng: &mut Prng) -> Vec<u8> {
    let place = prng.index(value.len().max(1));
    if let Some(byte) = value.get_mut(place) {
        *byte ^= 1 << prng.below(8);
    }
    value
}
