//! What becomes of a record at rest.

use everfold::layout::keys::{ROOT, RunRecord, UnitRecord};
use everfold::storage::memory::MemoryStorage;
use everfold::storage::{Area, Durability, GuardedWrite, Key, LayoutChange, Record, Storage, Written};

use super::log::Log;

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wound {
    Lost,
    /// It is there, and the storage cannot give its bytes.
    Unreadable,
    /// An older copy of it is put back.
    Stale,
    /// A bit is turned over so many thousandths into it.
    Flipped(usize),
}

impl Wound {
    pub const ALL: [Self; 6] =
        [Self::Lost, Self::Unreadable, Self::Stale, Self::Flipped(0), Self::Flipped(450), Self::Flipped(999)];

    /// Does this to a record. `false` where it cannot be done: there is no older copy that says anything else.
    pub async fn inflict(self, log: &Log, area: Area, key: &Key) -> bool {
        let records = log.derived().await;
        let of = |records: &[(Area, Record)]| {
            let found = records.iter().find(|(other, record)| *other == area && record.key == *key);
            found.map(|(_, record)| record.value.clone())
        };
        let stored = of(&records);
        let value = match (self, stored.clone()) {
            (Self::Lost, _) => None,
            (Self::Stale, _) => of(&log.older),
            (Self::Flipped(place), Some(mut bytes)) => {
                let index = bytes.len() * place / 1_000;
                bytes[index] ^= 1 << (index % 8);
                Some(bytes)
            }
            (Self::Unreadable, Some(_)) => Some(Vec::new()),
            (Self::Flipped(_) | Self::Unreadable, None) => None,
        };
        if value == stored || self == Self::Stale && value.is_none() {
            return false;
        }
        put(&log.compacted, area, key, value).await;
        true
    }
}

/// Puts a record in its place, or takes it away.
pub async fn put(storage: &MemoryStorage, area: Area, key: &Key, value: Option<Vec<u8>>) {
    let (mut puts, mut deletes) = (Vec::new(), Vec::new());
    match value {
        Some(bytes) => puts.push((area, key.clone(), bytes)),
        None => deletes.push((area, key.clone().into())),
    }
    let (layout, durability) = (LayoutChange::Keep, Durability::Memory);
    let write = GuardedWrite { expect: Vec::new(), deletes, puts, layout, durability };
    assert_eq!(storage.write(write).await, Ok(Written::Yes));
}

/// Whether what a record says can be found out without it.
pub fn is_derived(area: Area, key: &Key) -> bool {
    match area {
        Area::Index => true,
        _ => matches!(UnitRecord::of(key), Some((_, UnitRecord::Header | UnitRecord::Filter(_)))),
    }
}

/// A record in words.
pub fn named(area: Area, key: &Key) -> String {
    match (UnitRecord::of(key), RunRecord::of(key)) {
        _ if *key == Key::text(ROOT) => "the root".to_owned(),
        (Some((unit, record)), _) if area == Area::Units => format!("{record:?} of unit {}", unit.0),
        (_, Some((run, record))) => format!("{record:?} of run {}", run.0),
        _ => format!("{key:?}"),
    }
}
