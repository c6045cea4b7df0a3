//! Logs by chance: appends and marks.

use everfold::event::{NewEvent, Revision};
use everfold::log::Expected;
use everfold::store::{AppendRequest, Mark, MarkRequest, WriteRequest};
use everfold::testing::prng::Prng;

use crate::one_tab::{TestStore, id, name, tagged};

pub const TYPES: [&str; 4] = ["Opened", "Moved", "Closed", "Lost"];
pub const TAGS: [&str; 5] = ["a:1", "a:2", "b:1", "c", "rare"];

/// How a log is to be, and what was appended to it with ids of its own.
#[derive(Debug, Clone)]
pub struct History {
    commit_count: u64,
    stream_count: u64,
    marks_permille: u64,
    bytes_max: u64,
    /// Commits that can be repeated.
    pub repeatable: Vec<AppendRequest>,
    pub id_count: u128,
}

impl History {
    pub fn any(prng: &mut Prng) -> Self {
        Self {
            commit_count: *prng.pick(&[5, 60, 200]),
            stream_count: *prng.pick(&[1, 8, 60]),
            marks_permille: *prng.pick(&[0, 0, 30, 150]),
            bytes_max: *prng.pick(&[10, 300, 3_000]),
            repeatable: Vec::new(),
            id_count: 0,
        }
    }

    /// This history, going on as another.
    pub fn then(self, other: Self) -> Self {
        Self { repeatable: self.repeatable, id_count: self.id_count, ..other }
    }

    pub fn stream(&self, prng: &mut Prng) -> String {
        stream_name(prng.below(self.stream_count + 2))
    }

    pub async fn append(&mut self, store: &TestStore, prng: &mut Prng) {
        for _ in 0..self.commit_count {
            if prng.chance(self.marks_permille) {
                // A tombstone refuses what comes later, which is as good.
                let _ = store.mark(self.mark(prng)).await;
            } else {
                let _ = store.append(self.commit(prng)).1.await;
            }
        }
    }

    pub fn commit_count(&self) -> u64 {
        self.commit_count
    }

    pub fn is_mark(&self, prng: &mut Prng) -> bool {
        prng.chance(self.marks_permille)
    }

    pub fn mark(&self, prng: &mut Prng) -> MarkRequest {
        let before = Revision(prng.below(20));
        let mark = *prng.pick(&[
            Mark::Truncate { before },
            Mark::Truncate { before },
            Mark::Truncate { before: Revision(2) },
            Mark::Delete,
            Mark::Tombstone,
        ]);
        let stream = name(&stream_name(prng.below(self.stream_count)));
        MarkRequest { stream, expected: Expected::Any, mark, durability: None }
    }

    pub fn commit(&mut self, prng: &mut Prng) -> AppendRequest {
        let is_named = prng.chance(300);
        let writes = (0..*prng.pick(&[1, 1, 1, 3]))
            .map(|_| {
                let stream = name(&stream_name(prng.below(self.stream_count)));
                let events = (0..*prng.pick(&[1, 1, 4, 20])).map(|_| self.event(prng)).collect();
                WriteRequest { stream, expected: Expected::Any, events }
            })
            .collect();
        let mut request = AppendRequest { writes, condition: None, durability: None };
        if is_named {
            let events = request.writes.iter_mut().flat_map(|write| &mut write.events);
            for event in events {
                self.id_count += 1;
                event.id = Some(id(self.id_count));
            }
            self.repeatable.push(request.clone());
        }
        request
    }

    fn event(&self, prng: &mut Prng) -> NewEvent {
        let tags: Vec<&str> = TAGS.iter().copied().filter(|_| prng.chance(150)).collect();
        let mut event = tagged(TYPES[prng.index(TYPES.len())], &tags);
        let text: String =
            (0..prng.below(self.bytes_max)).map(|_| *prng.pick(&['a', 'b', 'c', '7'])).collect();
        event.data = Some(everfold::event::Json::parse(format!("\"{text}\"")).expect("good JSON"));
        event
    }
}

fn stream_name(number: u64) -> String {
    match number % 3 {
        0 => format!("cart-{number}"),
        1 => format!("größe-{number}"),
        _ => format!("plain{number}"),
    }
}
