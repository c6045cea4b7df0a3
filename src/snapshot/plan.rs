//! What is written to keep a snapshot, and what has to go for it.

use crate::event::Position;
use crate::storage::{Key, Record};

use super::Snapshot;
use super::keys::SNAPSHOTS_PER_SET_MAX;

/// What becomes of a set that gets a snapshot.
#[derive(Debug, PartialEq, Eq)]
pub struct KeepPlan {
    /// What stands under its key.
    pub replaced: Option<Vec<u8>>,
    /// The keys of those that have to go.
    pub evicted: Vec<Key>,
}

impl KeepPlan {
    /// Makes room for a snapshot in its set: those of the oldest events go, and those that cannot be read. `None` where
    /// there is one that is as good.
    pub fn new(key: &Key, snapshot: &Snapshot, set: Vec<Record>) -> Option<Self> {
        let (mut replaced, mut others) = (None, Vec::new());
        for Record { key: place, value } in set {
            if place == *key {
                replaced = Some(value);
            } else {
                others.push((place, value));
            }
        }
        let own = replaced.clone().and_then(|bytes| Snapshot::from_bytes(key, bytes).ok());
        let is_as_good = |own: Snapshot| {
            (own.reducer, own.last_fact) == (snapshot.reducer, snapshot.last_fact)
                && snapshot.position <= own.position
        };
        if own.is_some_and(is_as_good) {
            return None;
        }
        Some(Self { replaced, evicted: surplus_of(others) })
    }
}

/// The keys of the oldest snapshots, so that there is room for one more.
fn surplus_of(others: Vec<(Key, Vec<u8>)>) -> Vec<Key> {
    let surplus = others.len().saturating_add(1).saturating_sub(SNAPSHOTS_PER_SET_MAX);
    if surplus == 0 {
        return Vec::new();
    }
    let mut left: Vec<(Position, Key)> = Vec::new();
    for (key, bytes) in others {
        let position = Snapshot::from_bytes(&key, bytes).map_or(Position::START, |other| other.position);
        left.push((position, key));
    }
    let mut evicted = Vec::new();
    for _ in 0..surplus {
        // They are few, and to sort them would be another sort in the download.
        let oldest =
            left.iter().enumerate().min_by_key(|(_, (position, _))| *position).map(|(place, _)| place);
        evicted.extend(oldest.map(|place| left.swap_remove(place).1));
    }
    evicted
}
