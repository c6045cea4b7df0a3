//! Projections: documents and indexes are what a naive fold makes, each event is in them once, and of two builds one
//! answers.

mod bytes;
mod damage;
mod declared;
mod faults;
mod finding;
mod overtaken;
mod steady;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use everfold::error::Error;
use everfold::event::Position;
use everfold::host::Host;
use everfold::projection::changes::Change;
use everfold::projection::index_key::{self, IndexValue};
use everfold::projection::range::EntryRange;
use everfold::projection::{Definition, Index, Token, Tree};
use everfold::storage::{Direction, Storage};
use everfold::store::{Advance, Begin, Claim, Find, Projection, Ready, Store, Turn};
use everfold::testing::prng::Prng;

const BY_GROUP: &str = "[\"byGroup\",[\"group\",\"value\"]]";
const BY_TAG: &str = "[\"byTag\",\"tags\",true]";

/// A document, as the tests fold it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Doc {
    group: Option<&'static str>,
    value: i64,
    tags: BTreeSet<&'static str>,
    /// Makes it as long as one wants.
    padding: usize,
}

/// What became of one document at one position.
type Event = (String, Option<Doc>);

/// Documents by their keys.
type Docs = BTreeMap<String, Doc>;

impl Doc {
    fn text(&self) -> Rc<str> {
        Rc::from(format!("{self:?}{}", ".".repeat(self.padding)))
    }

    /// Its entries in both indexes, without its key.
    fn entries(&self) -> Vec<(Tree, Vec<u8>)> {
        let mut entries = Vec::new();
        if let Some(group) = self.group {
            let values = [IndexValue::Text(group), IndexValue::Number(self.value as f64)];
            entries.push((Tree::of_index(0), values_of(&values)));
        }
        entries.extend(self.tags.iter().map(|tag| (Tree::of_index(1), values_of(&[IndexValue::Text(tag)]))));
        entries
    }
}

fn values_of(values: &[IndexValue<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| index_key::push(&mut bytes, *value));
    bytes
}

fn projection(version: u64, fingerprint: u64) -> Projection {
    let index = |text, value_count| Index { text: Rc::from(text), value_count };
    let indexes = vec![index(BY_GROUP, 2), index(BY_TAG, 1)];
    Projection { name: Rc::from("orders"), definition: Definition { version, fingerprint, indexes } }
}

/// Random events of a few documents or of many.
fn events(prng: &mut Prng, count: usize) -> Vec<Event> {
    let key_count = *prng.pick(&[3, 50, 2_000]);
    let padding_max = *prng.pick(&[0, 100, 20_000]);
    (0..count)
        .map(|_| {
            let key = format!("order-{}", prng.below(key_count));
            let tags = ["", "a", "a\0", "b", "é"].into_iter().filter(|_| prng.chance(300)).collect();
            let group = prng.pick(&[None, Some(""), Some("open"), Some("open\0"), Some("paid")]);
            let padding = if prng.chance(50) { prng.below(padding_max + 1) as usize } else { 0 };
            let doc = Doc { group: *group, value: prng.below(7) as i64 - 3, tags, padding };
            (key, (!prng.chance(150)).then_some(doc))
        })
        .collect()
}

/// What the events up to a position come to.
fn naive(events: &[Event], position: Position) -> Docs {
    let mut docs = Docs::new();
    for (key, doc) in &events[..position.0 as usize] {
        match doc {
            Some(doc) => docs.insert(key.clone(), doc.clone()),
            None => docs.remove(key),
        };
    }
    docs
}

/// The changes that lead from some documents to others.
fn changes(before: &Docs, after: &Docs) -> (Vec<Rc<str>>, Vec<Change>) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let (mut changed, mut changes) = (Vec::new(), Vec::new());
    for key in keys.into_iter().filter(|key| before.get(*key) != after.get(*key)) {
        changed.push(Rc::from(key.as_str()));
        let (old, new) = (before.get(key), after.get(key));
        let value = new.map(Doc::text);
        changes.push(Change { tree: Tree::DOCUMENTS, key: key.as_bytes().to_vec(), value });
        let entries = |doc: Option<&Doc>| doc.map(Doc::entries).unwrap_or_default();
        let (old, new) = (entries(old), entries(new));
        let mut change = |(tree, values): &(Tree, Vec<u8>), value: Option<Rc<str>>| {
            changes.push(Change { tree: *tree, key: [values, key.as_bytes()].concat(), value });
        };
        old.iter().filter(|entry| !new.contains(entry)).for_each(|entry| change(entry, None));
        new.iter().filter(|entry| !old.contains(entry)).for_each(|entry| change(entry, Some(Rc::from(""))));
    }
    (changed, changes)
}

/// Carries a build on by some events.
async fn advance<S: Storage, H: Host>(
    store: &Store<S, H>,
    projection: &Projection,
    events: &[Event],
    token: Token,
    (from, to): (Position, Position),
    ready: Ready,
) -> Result<Turn, Error> {
    let (changed, changes) = changes(&naive(events, from), &naive(events, to));
    let projection = projection.clone();
    store.advance(Advance { projection, token, position: to, changed, changes, ready }).await
}

/// Claims a build, and carries it on by all events in batches.
async fn fold_all<S: Storage, H: Host>(
    store: &Store<S, H>,
    projection: &Projection,
    events: &[Event],
    batch: u64,
) -> Claim {
    let claim = store.claim(projection).await.unwrap().unwrap();
    let mut from = claim.position;
    let end = Position(events.len() as u64);
    while from < end {
        let to = Position(from.0 + batch).min(end);
        let ready = if to == end { Ready::Now } else { Ready::NotYet };
        assert_eq!(advance(store, projection, events, claim.token, (from, to), ready).await, Ok(Turn::Done));
        from = to;
    }
    claim
}

fn find(index: Option<&str>, range: EntryRange, limit: usize) -> Find {
    Find { name: Rc::from("orders"), index: index.map(Rc::from), range, limit }
}

/// All rows of a range, page by page.
async fn find_all<S: Storage, H: Host>(
    store: &Store<S, H>,
    index: Option<&str>,
    range: EntryRange,
    limit: usize,
) -> Vec<(String, Rc<str>)> {
    let (mut rows, mut rest) = (Vec::new(), range);
    loop {
        let found = store.find_documents(&find(index, rest.clone(), limit)).await.unwrap().unwrap();
        assert!(found.rows.len() <= limit);
        rows.extend(found.rows.into_iter().map(|(key, text)| (key.to_string(), text)));
        match found.next {
            Some(next) => rest = rest.behind(&next),
            None => return rows,
        }
    }
}

/// What a range of an index, or of the documents, has by a naive look.
fn find_naively(docs: &Docs, tree: Tree, range: &EntryRange) -> Vec<(String, Rc<str>)> {
    let mut entries: Vec<(Vec<u8>, &String)> = Vec::new();
    for (key, doc) in docs {
        let own = if tree == Tree::DOCUMENTS { vec![(tree, Vec::new())] } else { doc.entries() };
        for (_, values) in own.into_iter().filter(|(of, _)| *of == tree) {
            entries.push(([values.as_slice(), key.as_bytes()].concat(), key));
        }
    }
    entries.sort();
    if range.direction == Direction::Backwards {
        entries.reverse();
    }
    entries.retain(|(entry, _)| {
        range.from <= *entry && range.before.as_ref().is_none_or(|before| entry < before)
    });
    entries.into_iter().map(|(_, key)| (key.clone(), docs[key].text())).collect()
}

/// The documents that answer are what the naive fold makes, by every way to find them.
async fn check_answers<S: Storage, H: Host>(store: &Store<S, H>, docs: &Docs, prng: &mut Prng) {
    let name: Rc<str> = Rc::from("orders");
    let mut keys: Vec<Rc<str>> = docs.keys().map(|key| Rc::from(key.as_str())).collect();
    keys.push(Rc::from("nobody"));
    prng.shuffle(&mut keys);
    keys.truncate(200);
    let texts = store.documents(&name, everfold::store::Whose::Answering, &keys).await.unwrap().unwrap();
    for (key, text) in keys.iter().zip(texts) {
        assert_eq!(text, docs.get(&**key).map(Doc::text), "{key}");
    }
    for direction in [Direction::Forwards, Direction::Backwards] {
        let open = values_of(&[IndexValue::Text("open")]);
        let [zero, two] = [0.0, 2.0].map(|number| values_of(&[IndexValue::Number(number)]));
        let ranges = [
            (None, Tree::DOCUMENTS, EntryRange::within(&[], &[], None, direction)),
            (None, Tree::DOCUMENTS, EntryRange::within(&[], b"order-2", Some(b"order-5"), direction)),
            (Some(BY_GROUP), Tree::of_index(0), EntryRange::within(&[], &[], None, direction)),
            (Some(BY_GROUP), Tree::of_index(0), EntryRange::within(&open, &[], None, direction)),
            (Some(BY_GROUP), Tree::of_index(0), EntryRange::within(&open, &zero, Some(&two), direction)),
            (Some(BY_GROUP), Tree::of_index(0), EntryRange::within(&open, &two, Some(&zero), direction)),
            (
                Some(BY_TAG),
                Tree::of_index(1),
                EntryRange::within(&values_of(&[IndexValue::Text("a")]), &[], None, direction),
            ),
        ];
        for (index, tree, range) in ranges {
            let limit = *prng.pick(&[1, 7, 100, 10_000]);
            let limit = if limit == 1 && 100 < docs.len() { 7 } else { limit };
            let expected = find_naively(docs, tree, &range);
            assert_eq!(
                store.count_documents(&find(index, range.clone(), 0)).await,
                Ok(Some(expected.len() as u64))
            );
            assert_eq!(find_all(store, index, range, limit).await, expected, "{index:?}");
        }
    }
    let unknown = find(Some("another"), EntryRange::within(&[], &[], None, Direction::Forwards), 1);
    assert_eq!(store.find_documents(&unknown).await, Ok(None));
}

/// Begins the build of a projection where there is none.
async fn begin<S: Storage, H: Host>(store: &Store<S, H>, projection: &Projection) {
    store.project(projection, Begin::IfNew).await.unwrap();
}
