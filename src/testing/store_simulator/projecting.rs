//! Projectors of tabs that crash and freeze, and tabs that ask for documents: what they are answered is one checkpoint that answered
//! between call and answer, as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::error::{Detail, Error};
use crate::event::{Fact, Position};
use crate::host::Host;
use crate::projection::index_key::{self, IndexValue};
use crate::projection::range::EntryRange;
use crate::projection::{Token, Tree};
use crate::storage::{Direction, Storage};
use crate::store::{
    Advance, AllRead, Begin, EventPage, Find, Projection, Ready, Store, Subscription, Turn, Whose,
};
use crate::testing::executor::Scheduler;
use crate::testing::prng::Prng;

use super::model_entry::{ModelBody, ModelEntry};
use super::projected::{
    BY_COUNT, BY_REST, Checkpoint, Document, Documents, NAMES, changes_of, entries_in, key_of, projection_of,
    query_of,
};
use super::reading::Reader;
use super::world::World;

/// Why a projector stops to carry a build on.
enum Ended {
    /// Another one has the right to, or it gave up by itself.
    Lost,
    /// There is no build of its definition any more.
    Replaced,
}

/// What a batch of events makes of documents.
#[derive(Default)]
struct Batch {
    position: Position,
    event_count: u64,
    /// As they were stored, and as they are now.
    documents: BTreeMap<String, (Option<Document>, Option<Document>)>,
}

/// A projector at work.
struct Projecting<'a, S: Storage, H: Host> {
    reader: &'a Reader,
    store: &'a Store<S, H>,
    name: &'static str,
    projection: &'a Projection,
}

/// Carries a projection on for as long as the tab lives. Now and then it makes the documents anew.
pub async fn project<S: Storage, H: Host>(
    reader: Reader,
    store: Store<S, H>,
    name: &'static str,
    version: u64,
    mut prng: Prng,
) {
    let projection = projection_of(name, version);
    let projecting = Projecting { reader: &reader, store: &store, name, projection: &projection };
    let is_settling = Rc::clone(&reader.world.borrow().projected.is_settling);
    loop {
        match projecting.work(&mut prng).await {
            Ok(Ended::Lost) => {}
            Ok(Ended::Replaced) => return,
            Err(error) if *error.detail() == Detail::Closed && reader.is_closing.get() => return,
            Err(error) if error.is_retryable() || matches!(error.detail(), Detail::QuotaExceeded { .. }) => {}
            Err(error) => {
                return reader.world.borrow_mut().fail(format!("to project {name} failed: {error:?}"));
            }
        }
        let pause_ms = if is_settling.get() { 1_000 } else { prng.below(3_000) };
        reader.scheduler.sleep(pause_ms).await;
    }
}

impl<S: Storage, H: Host> Projecting<'_, S, H> {
    async fn work(&self, prng: &mut Prng) -> Result<Ended, Error> {
        let is_settling = Rc::clone(&self.reader.world.borrow().projected.is_settling);
        let begin = if !is_settling.get() && prng.chance(80) { Begin::Anew } else { Begin::IfNew };
        let standing = self.store.project(self.projection, begin).await?;
        if begin == Begin::Anew {
            self.reader.world.borrow_mut().summary.builds_anew += 1;
        }
        if standing.own.is_none() {
            return Ok(Ended::Replaced);
        }
        let Some(claim) = self.store.claim(self.projection).await? else { return Ok(Ended::Replaced) };
        self.note(&format!("claims, {claim:?}"));
        let (mut position, mut is_answering) = (claim.position, claim.is_answering);
        let mut feed = self.store.subscribe(position, query_of(self.name));
        loop {
            let Some((batch, ready)) = self.batch(&mut feed, claim.token, position, prng).await? else {
                return Ok(Ended::Lost);
            };
            if 0 < batch.event_count || (ready == Ready::Now && !is_answering) {
                position = batch.position;
                if self.advance(batch, claim.token, ready).await? == Turn::Lost {
                    self.reader.world.borrow_mut().summary.turns_lost += 1;
                    return Ok(Ended::Lost);
                }
                if !is_answering && ready == Ready::Now {
                    match self.take_over(claim.token, position).await? {
                        Some(reached) => (position, is_answering) = (reached, true),
                        None => continue,
                    }
                }
            }
            if !is_settling.get() && prng.chance(30) {
                return Ok(Ended::Lost);
            }
        }
    }

    /// Folds some pages. `None` where the right to it was lost.
    async fn batch(
        &self,
        feed: &mut Subscription<S, H>,
        token: Token,
        position: Position,
        prng: &mut Prng,
    ) -> Result<Option<(Batch, Ready)>, Error> {
        let mut batch = Batch { position, ..Batch::default() };
        for page_count in 1.. {
            let Some(page) = feed.next().await? else { return Ok(None) };
            if !self.fold(&mut batch, &page, token).await? {
                return Ok(None);
            }
            if prng.chance(100) {
                self.reader.scheduler.sleep(prng.below(500)).await;
            }
            if page.next.is_none() {
                return Ok(Some((batch, Ready::Now)));
            }
            if page_count == 3 || prng.chance(500) {
                break;
            }
        }
        Ok(Some((batch, Ready::NotYet)))
    }

    async fn fold(&self, batch: &mut Batch, page: &EventPage, token: Token) -> Result<bool, Error> {
        let entries: Vec<ModelEntry> = page.entries().map(ModelEntry::from).collect();
        let keys: BTreeSet<&str> = entries.iter().map(|entry| key_of(self.name, entry)).collect();
        let lacking: Vec<Rc<str>> =
            keys.into_iter().filter(|key| !batch.documents.contains_key(*key)).map(Rc::from).collect();
        if !lacking.is_empty() {
            let read = self.store.documents(&self.projection.name, Whose::Own(token), &lacking).await?;
            let Some(read) = read else { return Ok(false) };
            for (key, text) in lacking.iter().zip(read) {
                let document = text.and_then(|text| Document::parse(&text));
                batch.documents.insert(key.to_string(), (document.clone(), document));
            }
        }
        for entry in &entries {
            let Some((_, document)) = batch.documents.get_mut(key_of(self.name, entry)) else { continue };
            if matches!(entry.body, ModelBody::Fact(Fact::Deleted | Fact::Tombstoned)) {
                *document = None;
                continue;
            }
            let version = self.projection.definition.version;
            let into = document.get_or_insert(Document { version, positions: Vec::new() });
            into.positions.push(entry.position);
        }
        batch.event_count += entries.len() as u64;
        batch.position = Position(page.next.unwrap_or(page.as_of.0)).max(batch.position);
        Ok(true)
    }

    async fn advance(&self, batch: Batch, token: Token, ready: Ready) -> Result<Turn, Error> {
        let Batch { position, documents, .. } = batch;
        let (mut changed, mut changes) = (Vec::new(), Vec::new());
        for (key, (before, after)) in documents.iter().filter(|(_, (before, after))| before != after) {
            changed.push(Rc::from(key.as_str()));
            changes.extend(changes_of(key, before.as_ref(), after.as_ref()));
        }
        let projection = self.projection.clone();
        let advance = Advance { projection, token, position, changed, changes, ready };
        let turn = self.store.advance(advance).await?;
        self.note(&format!("is at {position}, {ready:?}: {turn:?}"));
        self.reader.world.borrow_mut().audit();
        Ok(turn)
    }

    /// Has what is folded answer, unless what answers is further, in something that is of interest. Gives up to where it is.
    async fn take_over(&self, token: Token, mut position: Position) -> Result<Option<Position>, Error> {
        loop {
            let standing = self.store.standing(self.projection, None).await?;
            if standing.is_answering {
                return Ok(Some(position));
            }
            let Some(answering) = standing.answering else { return Ok(None) };
            let between = AllRead {
                after: position,
                before: Some(answering.next()),
                query: query_of(self.name),
                ..AllRead::everything()
            };
            let page = self.store.read_all(&between).await?;
            if 0 < page.entries().count()
                || page.next.is_some()
                || page.as_of < answering
                || answering <= position
            {
                return Ok(None);
            }
            position = answering;
            let batch = Batch { position, ..Batch::default() };
            if self.advance(batch, token, Ready::Now).await? == Turn::Lost {
                return Ok(None);
            }
        }
    }

    fn note(&self, text: &str) {
        let Self { reader, name, .. } = self;
        let version = self.projection.definition.version;
        reader.world.borrow_mut().note(format!("{:?}, {name} of version {version}: {text}", reader.tab));
    }
}

/// What is asked of documents.
#[derive(Debug)]
enum Asked {
    Documents(Vec<Rc<str>>),
    Rows(Find),
    Count(Find),
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Documents(Vec<Option<Rc<str>>>),
    Rows(Vec<(Rc<str>, Rc<str>)>),
    Count(u64),
}

impl Asked {
    fn draw(name: &'static str, documents: &Documents, prng: &mut Prng) -> Self {
        let mut keys: Vec<Rc<str>> = documents.keys().map(|key| Rc::from(key.as_str())).collect();
        keys.push("nobody".into());
        let index = *prng.pick(&[None, Some(BY_COUNT), Some(BY_REST)]);
        let direction = *prng.pick(&[Direction::Forwards, Direction::Backwards]);
        let number = |number: u64| {
            let mut bytes = Vec::new();
            index_key::push(&mut bytes, IndexValue::Number(number as f64));
            bytes
        };
        let range = match index {
            Some(_) if prng.chance(300) => EntryRange::within(&number(prng.below(4)), &[], None, direction),
            Some(_) if prng.chance(500) => EntryRange::within(&[], &number(prng.below(4)), None, direction),
            _ => EntryRange::within(&[], &[], None, direction),
        };
        let limit = *prng.pick(&[1, 3, 100]);
        let find = Find { name: Rc::from(name), index: index.map(Rc::from), range, limit };
        match prng.below(3) {
            0 => Self::Documents(keys),
            1 => Self::Rows(find),
            _ => Self::Count(find),
        }
    }

    async fn ask<S: Storage, H: Host>(
        &self,
        store: &Store<S, H>,
        name: &str,
    ) -> Result<Option<Answer>, Error> {
        Ok(match self {
            Self::Documents(keys) => {
                let found = store.documents(&Rc::from(name), Whose::Answering, keys).await?;
                found.map(Answer::Documents)
            }
            Self::Rows(find) => store.find_documents(find).await?.map(|found| Answer::Rows(found.rows)),
            Self::Count(find) => store.count_documents(find).await?.map(Answer::Count),
        })
    }

    /// What is to be answered in a state.
    fn right_answer(&self, state: &Checkpoint) -> Answer {
        let documents = &state.documents;
        match self {
            Self::Documents(keys) => {
                Answer::Documents(keys.iter().map(|key| documents.get(&**key).map(Document::text)).collect())
            }
            Self::Rows(find) => {
                let rows = keys_in(documents, find).into_iter().take(find.limit);
                Answer::Rows(rows.map(|key| (Rc::from(key), documents[key].text())).collect())
            }
            Self::Count(find) => Answer::Count(keys_in(documents, find).len() as u64),
        }
    }
}

/// The keys of the documents in a range, in its direction.
fn keys_in<'a>(documents: &'a Documents, find: &Find) -> Vec<&'a str> {
    let Find { index, range, .. } = find;
    let tree = match index.as_deref() {
        Some(BY_COUNT) => Tree::of_index(0),
        Some(_) => Tree::of_index(1),
        None => Tree::DOCUMENTS,
    };
    let mut entries = entries_in(documents, tree);
    entries.retain(|(entry, _)| {
        range.from <= *entry && range.before.as_ref().is_none_or(|before| entry < before)
    });
    if range.direction == Direction::Backwards {
        entries.reverse();
    }
    entries.into_iter().map(|(_, key)| key).collect()
}

impl Reader {
    /// Asks for documents, and checks that the answer is of one state since the call.
    pub async fn ask_for_documents<S: Storage, H: Host>(
        self,
        store: Store<S, H>,
        name: &'static str,
        mut prng: Prng,
    ) {
        self.world.borrow_mut().begin_read(self.tab);
        let (first, asked) = {
            let world = self.world.borrow();
            let first = world.answers_before(name);
            let last = world.answers_from(name, first).last().cloned().flatten();
            let none = Documents::new();
            (first, Asked::draw(name, last.as_ref().map_or(&none, |it| &it.documents), &mut prng))
        };
        let result = asked.ask(&store, name).await;
        let mut world = self.world.borrow_mut();
        world.end_read(self.tab);
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                return world.read_failed("a question for documents", &error, self.is_closing.get());
            }
        };
        world.summary.documents_asked += 1;
        let states = world.answers_from(name, first);
        let is_right = states.iter().any(|state| state.as_ref().map(|it| asked.right_answer(it)) == answer);
        if !is_right {
            let problem = format!("{asked:?} of {name} was answered {answer:?}, where answered {states:?}");
            world.fail(problem);
        }
    }
}

/// Waits until all is in the documents of every projection. Gives the names of those that do not come to an end.
pub async fn all_projected(
    world: &Rc<std::cell::RefCell<World>>,
    scheduler: &Scheduler,
    deadline_ms: u64,
) -> Vec<&'static str> {
    loop {
        world.borrow_mut().audit();
        let behind: Vec<&str> = NAMES.into_iter().filter(|name| !world.borrow().is_projected(name)).collect();
        if behind.is_empty() || deadline_ms < scheduler.now_ms() {
            return behind;
        }
        scheduler.sleep(500).await;
    }
}
