//! Histories of a log by chance, which keep the rules of the log.

use std::collections::BTreeMap;

use everfold::codec::{Body, Extensions};
use everfold::event::{Fact, Revision, Tag, UnixMillis};
use everfold::id::{EventId, IdGenerator};
use everfold::log::StreamFacts;
use everfold::testing::prng::Prng;

use crate::codec::sample::{Commit, Content, Recorded};

/// How a history is: few streams or many, small payloads or large.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub commit_count: usize,
    pub commit_entries_max: u64,
    pub stream_count: u64,
    /// How many entries in a thousand are facts.
    pub facts_permille: u64,
    /// How many events in a thousand are larger than a block.
    pub large_permille: u64,
}

impl Shape {
    pub fn any(prng: &mut Prng) -> Self {
        Self {
            commit_count: prng.between(1..=400) as usize,
            commit_entries_max: *prng.pick(&[1, 3, 30]),
            stream_count: *prng.pick(&[1, 7, 200]),
            facts_permille: *prng.pick(&[0, 20, 150]),
            large_permille: *prng.pick(&[0, 0, 10]),
        }
    }
}

/// What is appended, and what streams are meanwhile.
struct Life<'a> {
    prng: &'a mut Prng,
    shape: Shape,
    streams: BTreeMap<String, StreamFacts>,
    generator: IdGenerator,
    position: u64,
}

pub fn history(prng: &mut Prng, shape: Shape) -> Vec<Commit> {
    let generator = IdGenerator::new([3; EventId::PREFIX_BYTES]);
    let mut life = Life { prng, shape, streams: BTreeMap::new(), generator, position: 0 };
    let mut time = 1_700_000_000_000;
    let mut commits = Vec::new();
    for _ in 0..shape.commit_count {
        time += life.prng.below(1_000) as i64;
        let entry_count = life.prng.between(1..=shape.commit_entries_max);
        let entries = (0..entry_count).map(|_| life.entry(UnixMillis(time))).collect();
        let extensions = match life.prng.below(10) {
            0 => Extensions::from([(1, b"cmd".to_vec()), (77, life.prng.bytes(9))]),
            _ => Extensions::new(),
        };
        commits.push(Commit { time: UnixMillis(time), extensions, entries });
    }
    commits
}

impl Life<'_> {
    fn entry(&mut self, commit_time: UnixMillis) -> Recorded {
        // Positions that were erased before are missing.
        self.position += if self.prng.chance(20) { self.prng.between(2..=50) } else { 1 };
        let number = self.prng.below(self.shape.stream_count);
        let stream = match number % 5 {
            0 => format!("größe-{number}"),
            1 => format!("cart{number}"),
            _ => format!("account-{number}"),
        };
        let facts = self.streams.get(&stream).copied().unwrap_or_default();
        let next = facts.state.next_revision();
        let content = if self.prng.chance(self.shape.facts_permille) {
            let before = Revision(self.prng.below(next.0 + 1));
            Content::Fact(*self.prng.pick(&[Fact::Deleted, Fact::Truncated { before }]))
        } else {
            self.event(next)
        };
        let mut facts = facts;
        match &content {
            Content::Fact(fact) => facts.lay(&Body::Fact(*fact)),
            Content::Event { event_type, .. } => {
                let tags = everfold::codec::Tags::NONE;
                facts.lay(&Body::Event { revision: next, event_type, data: None, metadata: None, tags });
            }
        }
        self.streams.insert(stream.clone(), facts);
        let id = if self.prng.chance(500) {
            self.generator.next_id()
        } else {
            let mut bytes = [0; EventId::BYTES];
            self.prng.fill(&mut bytes);
            EventId::from_bytes(bytes)
        };
        let time = if self.prng.chance(100) { UnixMillis(commit_time.0 - 500) } else { commit_time };
        Recorded { position: self.position, stream, id, time, content }
    }

    fn event(&mut self, revision: Revision) -> Content {
        let data = if self.prng.chance(self.shape.large_permille) {
            let random = self.prng.bytes(14_000);
            random.iter().map(|byte| format!("{byte:02x}")).collect()
        } else {
            format!("{}", self.prng.next_u64())
        };
        let tags = (0..self.prng.below(3)).map(|_| format!("tag:{}", self.prng.below(30)));
        let tags = tags.map(|tag| Tag::new(tag).unwrap()).collect();
        Content::Event {
            revision: revision.0,
            event_type: (*self.prng.pick(&["Opened", "Closed", "Moved"])).to_owned(),
            data: Some(format!("\"{data}\"")),
            metadata: None,
            tags,
        }
    }
}
