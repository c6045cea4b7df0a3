//! What is stored of projections, read beneath the store after each write of it: documents, entries of indexes and counts are at every
//! checkpoint what a naive fold of the log makes, and those that answer never go back.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::event::{Fact, Position};
use crate::projection::changes::Change;
use crate::projection::index_key::{self, IndexValue};
use crate::projection::{Build, BuildId, Definition, Index, Model as StoredModel, Page, Tree, keys};
use crate::query::{Query, QueryItem};
use crate::storage::{Key, Record};
use crate::store::Projection;

use super::model_entry::{ModelBody, ModelEntry};
use super::world::World;

/// The projections that there are.
pub const NAMES: [&str; 2] = ["streams", "types"];
/// By how many events a document has folded.
pub const BY_COUNT: &str = "by count";
/// By what is left of the positions of these, divided by three.
pub const BY_REST: &str = "by rest";

/// Documents by their keys: a document names the events that were folded into it.
pub type Documents = BTreeMap<String, Document>;

/// A document: of which version of its definition it is, and the positions of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub version: u64,
    pub positions: Vec<u64>,
}

/// What was found stored of projections.
#[derive(Default)]
pub struct Projected {
    by_name: BTreeMap<&'static str, History>,
    /// The newest version of each definition.
    pub versions: BTreeMap<&'static str, u64>,
    /// Whether projectors do not give up any more.
    pub is_settling: Rc<Cell<bool>>,
}

struct History {
    /// The builds that are stored.
    builds: Vec<(BuildId, Checkpoint)>,
    /// What answered, state after state; nothing before the first build, and where the model was damaged.
    answering: Vec<Option<Rc<Checkpoint>>>,
}

impl Default for History {
    fn default() -> Self {
        Self { builds: Vec::new(), answering: vec![None] }
    }
}

/// A build as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub position: u64,
    pub documents: Documents,
}

impl Document {
    pub fn text(&self) -> Rc<str> {
        Rc::from(format!("{}:{:?}", self.version, self.positions))
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (version, positions) = text.split_once(':')?;
        let positions = positions.strip_prefix('[')?.strip_suffix(']')?.split(", ");
        let positions = positions.map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Self { version: version.parse().ok()?, positions })
    }

    /// Its entries in both indexes, without its key.
    fn entries(&self) -> BTreeSet<(Tree, Vec<u8>)> {
        let entry = |place, number: u64| {
            let mut bytes = Vec::new();
            index_key::push(&mut bytes, IndexValue::Number(number as f64));
            (Tree::of_index(place), bytes)
        };
        let rests = self.positions.iter().map(|position| entry(1, position % 3));
        rests.chain([entry(0, self.positions.len() as u64)]).collect()
    }
}

/// The entries of documents in a tree, with the keys of their documents, in order.
pub fn entries_in(documents: &Documents, tree: Tree) -> Vec<(Vec<u8>, &str)> {
    let mut entries = Vec::new();
    for (key, document) in documents {
        if tree == Tree::DOCUMENTS {
            entries.push((key.as_bytes().to_vec(), key.as_str()));
        }
        let of_tree = document.entries().into_iter().filter(|(of, _)| *of == tree);
        entries
            .extend(of_tree.map(|(_, values)| ([values.as_slice(), key.as_bytes()].concat(), key.as_str())));
    }
    entries.sort();
    entries
}

/// The changes that lead from one document to another.
pub fn changes_of(key: &str, before: Option<&Document>, after: Option<&Document>) -> Vec<Change> {
    let entries = |document: Option<&Document>| document.map(Document::entries).unwrap_or_default();
    let (old, new) = (entries(before), entries(after));
    let change = |(tree, values): &(Tree, Vec<u8>), value: Option<Rc<str>>| Change {
        tree: *tree,
        key: [values.as_slice(), key.as_bytes()].concat(),
        value,
    };
    let mut changes = vec![change(&(Tree::DOCUMENTS, Vec::new()), after.map(Document::text))];
    changes.extend(old.difference(&new).map(|entry| change(entry, None)));
    changes.extend(new.difference(&old).map(|entry| change(entry, Some(Rc::from("")))));
    changes
}

/// A version of a projection.
pub fn projection_of(name: &str, version: u64) -> Projection {
    let index = |text| Index { text: Rc::from(text), value_count: 1 };
    let indexes = vec![index(BY_COUNT), index(BY_REST)];
    Projection { name: Rc::from(name), definition: Definition { version, fingerprint: version, indexes } }
}

/// What a projection folds: one has a document for each stream, which goes with it, the other one for each type of event of some.
pub fn query_of(name: &str) -> Query {
    let items = match name {
        "streams" => {
            let facts = Some(vec!["$deleted".into(), "$tombstoned".into()]);
            vec![QueryItem::default(), QueryItem { types: facts, ..QueryItem::default() }]
        }
        _ => vec![QueryItem { categories: Some(vec!["cart".into()]), ..QueryItem::default() }],
    };
    Query::new(items).expect("a good query")
}

/// Of which document an event is.
pub fn key_of<'a>(name: &str, entry: &'a ModelEntry) -> &'a str {
    if name == "streams" { &entry.stream } else { entry.type_name() }
}

impl World {
    /// Looks at every state of what is stored of projections since the last audit.
    pub fn audit_projections(&mut self) {
        for records in self.database.take_documents() {
            for name in NAMES {
                if let Err(problem) = self.audit_projection(name, &records) {
                    self.fail(format!("the projection {name}: {problem}"));
                }
            }
            if let Err(problem) = check_pages(&records) {
                self.fail(problem);
            }
        }
    }

    fn audit_projection(&mut self, name: &'static str, records: &[Record]) -> Result<(), String> {
        let key = keys::model(name);
        let record = records.iter().find(|record| record.key == key);
        let model = record.and_then(|record| StoredModel::from_bytes(&key, record.value.clone()).ok());
        let model = model.unwrap_or_default();
        let mut builds = Vec::new();
        for build in [&model.answering, &model.coming].into_iter().flatten() {
            let history = self.projected.by_name.get(name);
            let before = history.and_then(|it| it.builds.iter().find(|(id, _)| *id == build.id)).cloned();
            let now = self.checkpoint(name, build, records, before.map(|(_, checkpoint)| checkpoint))?;
            builds.push((build.id, now));
        }
        let history = self.projected.by_name.entry(name).or_default();
        let answering = model.answering.as_ref().and(builds.first()).map(|(_, it)| it.clone());
        history.builds = builds;
        let last = history.answering.last().and_then(|last| last.as_deref());
        if last == answering.as_ref() {
            return Ok(());
        }
        if let (Some(last), Some(now)) = (last, &answering)
            && now.position < last.position
        {
            return Err(format!("what answers went back from {} to {}", last.position, now.position));
        }
        history.answering.push(answering.map(Rc::new));
        self.summary.checkpoints += 1;
        Ok(())
    }

    /// Reads a build, and holds it against the log, and against what it was before.
    fn checkpoint(
        &self,
        name: &str,
        build: &Build,
        records: &[Record],
        before: Option<Checkpoint>,
    ) -> Result<Checkpoint, String> {
        let version = build.definition.version;
        let [texts, by_count, by_rest] = [Tree::DOCUMENTS, Tree::of_index(0), Tree::of_index(1)]
            .map(|tree| entries_of(build.id, tree, records));
        let mut documents = Documents::new();
        for (key, text) in texts? {
            let [key, text] = [key, text].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let document = Document::parse(&text).ok_or_else(|| format!("{key} is {text}"))?;
            documents.insert(key, document);
        }
        if build.document_count != documents.len() as u64 {
            return Err(format!("{} documents are counted of {documents:?}", build.document_count));
        }
        for (place, stored) in [by_count?, by_rest?].into_iter().enumerate() {
            let expected = entries_in(&documents, Tree::of_index(place));
            if !stored.iter().map(|(entry, _)| entry).eq(expected.iter().map(|(entry, _)| entry)) {
                return Err(format!("the index {place} has {stored:?} of {documents:?}"));
            }
        }
        let now = Checkpoint { position: build.position.0, documents };
        if let Some(wrong) = now.documents.values().find(|it| it.version != version) {
            return Err(format!("a document of version {} is in a build of {version}", wrong.version));
        }
        self.check_fold(
            name,
            &now,
            &before.unwrap_or(Checkpoint { position: 0, documents: Documents::new() }),
        )?;
        Ok(now)
    }

    /// Every event that is not hidden is in its document once, in order, unless the stream of the document was deleted since. One that
    /// is hidden by now may be in it: it is if it was folded before.
    fn check_fold(&self, name: &str, now: &Checkpoint, before: &Checkpoint) -> Result<(), String> {
        if now.position < before.position || self.model.head() < now.position {
            return Err(format!("a build went from {} to {}", before.position, now.position));
        }
        let query = query_of(name);
        let seen: BTreeSet<u64> =
            self.model.visible(self.model.head()).into_iter().map(|entry| entry.position).collect();
        // Of each document, from where on events count, and those that do.
        let mut folded: BTreeMap<&str, (u64, Vec<u64>)> = BTreeMap::new();
        for entry in self.model.prefix(now.position).iter().filter(|entry| entry.matches(&query)) {
            let place = folded.entry(key_of(name, entry)).or_default();
            match entry.body {
                ModelBody::Fact(Fact::Deleted | Fact::Tombstoned) => *place = (entry.position, Vec::new()),
                _ => place.1.push(entry.position),
            }
        }
        let keys: BTreeSet<&str> =
            folded.keys().copied().chain(now.documents.keys().map(String::as_str)).collect();
        for key in keys {
            let (since, of_log) = folded.get(key).cloned().unwrap_or_default();
            let positions_in = |documents: &Documents| {
                documents.get(key).map(|document| document.positions.clone()).unwrap_or_default()
            };
            let [stored, mut earlier] = [&now.documents, &before.documents].map(positions_in);
            if before.position < since {
                earlier.clear();
            }
            let bound = before.position.max(since);
            let is_new = |position: &u64| bound < *position;
            let new: Vec<u64> = stored.iter().copied().filter(is_new).collect();
            let expected: Vec<u64> = earlier
                .into_iter()
                .chain(of_log.into_iter().filter(|it| is_new(it) && (seen.contains(it) || new.contains(it))))
                .collect();
            if stored != expected {
                return Err(format!(
                    "at {} after {}, {key} has folded {stored:?} and not {expected:?}",
                    now.position, before.position
                ));
            }
        }
        Ok(())
    }

    /// The states of what answers that were there from one on.
    pub fn answers_from(&self, name: &str, first: usize) -> &[Option<Rc<Checkpoint>>] {
        let all = self.projected.by_name.get(name).map_or(&[None][..], |history| &history.answering);
        all.get(first..).unwrap_or_default()
    }

    /// How many states of what answers there were before the one that does.
    pub fn answers_before(&self, name: &str) -> usize {
        self.answers_from(name, 0).len().saturating_sub(1)
    }

    /// Whether all that is in the log is in what answers, which is of the newest version.
    pub fn is_projected(&self, name: &'static str) -> bool {
        let version = self.projected.versions.get(name).copied().unwrap_or(1);
        let Some(Some(last)) = self.answers_from(name, 0).last() else { return false };
        let read = crate::store::AllRead {
            after: Position(last.position),
            query: query_of(name),
            ..crate::store::AllRead::everything()
        };
        last.documents.values().all(|document| document.version == version)
            && self.model.read_all(self.model.head(), &read).is_empty()
    }
}

/// A key of a tree, and its value.
type Entry = (Vec<u8>, Vec<u8>);

/// The entries of a tree of a build.
fn entries_of(id: BuildId, tree: Tree, records: &[Record]) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for Record { key, value } in records {
        let Some(fence) = keys::fence_of(id, tree, key) else { continue };
        let page = Page::from_bytes(key, value.clone()).map_err(|corrupt| corrupt.to_string())?;
        for place in 0..page.len() {
            let (entry, value) = page.entry(place).expect("a page has the entries that it counts");
            if entry < fence || entries.last().is_some_and(|(last, _)| entry <= last.as_slice()) {
                return Err(format!("{entry:?} stands in the page of {fence:?}"));
            }
            entries.push((entry.to_vec(), value.to_vec()));
        }
    }
    Ok(entries)
}

/// Each page is of a build that some model names, so that it is deleted with it.
fn check_pages(records: &[Record]) -> Result<(), String> {
    let mut named: Vec<BuildId> = Vec::new();
    for name in NAMES {
        let key = keys::model(name);
        let Some(record) = records.iter().find(|record| record.key == key) else { continue };
        // What a damaged one named is found when a build begins anew.
        let Ok(model) = StoredModel::from_bytes(&key, record.value.clone()) else { return Ok(()) };
        named.extend([&model.answering, &model.coming].into_iter().flatten().map(|build| build.id));
        named.extend(model.doomed);
    }
    let is_named = |key: &Key| {
        let Key::Bytes(bytes) = key else { return false };
        bytes.first() == Some(&0) || named.iter().any(|id| bytes.get(1..9) == Some(&id.0))
    };
    match records.iter().find(|record| !is_named(&record.key)) {
        Some(stray) => Err(format!("{:?} is of no build", stray.key)),
        None => Ok(()),
    }
}
