//! The model of a projection: which builds there are of it, and how far they are.

use std::rc::Rc;

use crate::codec::cursor::Cursor;
use crate::codec::{Corrupt, varint};
use crate::event::Position;
use crate::layout::keys::tied;
use crate::layout::sealed::{self, Magic};
use crate::limits;
use crate::storage::Key;

use super::BuildId;

const MAGIC: Magic = Magic(b'm');
/// So many keys of documents are remembered as changed last, at most.
const CHANGED_KEYS_MAX: usize = 256;
/// Their bytes, at most.
const CHANGED_BYTES_MAX: usize = 8 * 1024;

/// The builds of a projection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// The one whose documents are given to who asks.
    pub answering: Option<Build>,
    /// The one that is to take its place.
    pub coming: Option<Build>,
    /// Those whose pages are to be deleted.
    pub doomed: Vec<BuildId>,
}

/// A fold of the log under one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Names its pages.
    pub id: BuildId,
    /// What it is a fold by.
    pub definition: Definition,
    /// Whose turn it is to carry it on.
    pub token: Token,
    /// Up to where the log was folded.
    pub position: Position,
    /// How often it was carried on.
    pub write_count: u64,
    /// How many documents it has.
    pub document_count: u64,
    /// Which documents changed last.
    pub changed: Changed,
}

/// What a build is a fold by, as far as that has to be told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// As its users count.
    pub version: u64,
    /// A hash of all that the documents follow from besides the events.
    pub fingerprint: u64,
    /// Its indexes: the tree of the first is 1.
    pub indexes: Vec<Index>,
}

/// An index, as far as it has to be told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name, and of what it is an index.
    pub text: Rc<str>,
    /// How many values an entry has.
    pub value_count: usize,
}

/// Whoever carries a build on has put it there, and is done as soon as there is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Token(pub [u8; 8]);

/// A state of a build: no two are the same in it whose pages differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    id: BuildId,
    token: Token,
    write_count: u64,
}

/// Which documents changed after a position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// From here on all changes are known.
    pub after: Position,
    /// The key of each, and the position up to which the log was folded with the change; in the order of these.
    pub keys: Vec<(Position, Rc<str>)>,
}

impl Model {
    /// The build of a definition, if there is one: of two, which there are where one is made anew, the one that is coming.
    pub fn build(&self, definition: &Definition) -> Option<&Build> {
        [&self.coming, &self.answering].into_iter().flatten().find(|build| build.definition == *definition)
    }

    /// The same, to be changed.
    pub fn build_mut(&mut self, definition: &Definition) -> Option<&mut Build> {
        let builds = [&mut self.coming, &mut self.answering];
        builds.into_iter().flatten().find(|build| build.definition == *definition)
    }

    /// Begins a build, which answers at once where there is none yet. One that was coming is given up.
    pub fn begin(&mut self, id: BuildId, definition: Definition) {
        let build = Build {
            id,
            definition,
            token: Token::default(),
            position: Position::START,
            write_count: 0,
            document_count: 0,
            changed: Changed::default(),
        };
        if self.answering.is_none() {
            self.answering = Some(build);
        } else if let Some(given_up) = self.coming.replace(build) {
            self.doomed.push(given_up.id);
        }
    }

    /// Begins a build in the place of one that is damaged, and says whether it did: not where another one is coming anyway.
    pub fn begin_in_place_of(&mut self, damaged: BuildId, id: BuildId) -> bool {
        let last = self.coming.as_ref().or(self.answering.as_ref());
        let definition = last.filter(|build| build.id == damaged).map(|build| build.definition.clone());
        definition.map(|definition| self.begin(id, definition)).is_some()
    }

    /// Has the build that was coming answer from now on.
    pub fn take_over(&mut self) {
        if let Some(coming) = self.coming.take() {
            self.doomed.extend(self.answering.replace(coming).map(|replaced| replaced.id));
        }
    }

    /// The stored form under this key: see FORMAT.md, "The model of a projection".
    pub fn to_bytes(&self, key: &Key) -> Vec<u8> {
        let mut body = Vec::new();
        for build in [&self.answering, &self.coming] {
            body.push(u8::from(build.is_some()));
            if let Some(build) = build {
                build.write(&mut body);
            }
        }
        varint::push_size(&mut body, self.doomed.len());
        self.doomed.iter().for_each(|id| body.extend(id.0));
        tied(key, MAGIC.seal(&body))
    }

    /// Reads what is stored under a key. Errors: [`Corrupt`] for any other bytes.
    pub fn from_bytes(key: &Key, bytes: Vec<u8>) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(&tied(key, bytes))?;
        let mut cursor = sealed::body(&body);
        let [answering, coming] = [Build::read_if_some(&mut cursor)?, Build::read_if_some(&mut cursor)?];
        let mut doomed = Vec::new();
        for _ in 0..cursor.count(usize::MAX)? {
            doomed.push(BuildId(cursor.array()?));
        }
        sealed::end(&cursor)?;
        Ok(Self { answering, coming, doomed })
    }
}

impl Build {
    /// Its state.
    pub fn stamp(&self) -> Stamp {
        Stamp { id: self.id, token: self.token, write_count: self.write_count }
    }

    /// Takes note that the log was folded up to a position, with changes to documents of these keys.
    pub fn advance(&mut self, position: Position, keys: &[Rc<str>], document_count: u64) {
        (self.position, self.document_count) = (position, document_count);
        self.write_count = self.write_count.saturating_add(1);
        self.changed.add(position, keys);
    }

    fn write(&self, body: &mut Vec<u8>) {
        let Self { id, definition, token, position, write_count, document_count, changed } = self;
        body.extend(id.0);
        body.extend(definition.fingerprint.to_le_bytes());
        body.extend(token.0);
        for number in [definition.version, position.0, *write_count, *document_count] {
            varint::push_unsigned(body, number);
        }
        varint::push_size(body, definition.indexes.len());
        for Index { text, value_count } in &definition.indexes {
            varint::push_size(body, *value_count);
            push_text(body, text);
        }
        varint::push_unsigned(body, changed.after.0);
        varint::push_size(body, changed.keys.len());
        for (position, key) in &changed.keys {
            varint::push_unsigned(body, position.0.saturating_sub(changed.after.0));
            push_text(body, key);
        }
    }

    fn read_if_some(cursor: &mut Cursor<'_>) -> Result<Option<Self>, Box<Corrupt>> {
        match cursor.byte()? {
            0 => return Ok(None),
            1 => {}
            _ => return Err(cursor.corrupt("a build is neither there nor not")),
        }
        let (id, fingerprint) = (BuildId(cursor.array()?), u64::from_le_bytes(cursor.array()?));
        let token = Token(cursor.array()?);
        let version = cursor.integer()?;
        let position = Position(cursor.integer()?);
        let (write_count, document_count) = (cursor.integer()?, cursor.integer()?);
        let mut indexes = Vec::new();
        for _ in 0..cursor.count(limits::PROJECTION_INDEXES_MAX)? {
            let value_count = cursor.count(usize::MAX)?;
            indexes.push(Index { value_count, text: text(cursor)? });
        }
        let mut changed = Changed { after: Position(cursor.integer()?), keys: Vec::new() };
        for _ in 0..cursor.count(usize::MAX)? {
            let position = Position(changed.after.0.saturating_add(cursor.integer()?));
            changed.keys.push((position, text(cursor)?));
        }
        let definition = Definition { version, fingerprint, indexes };
        Ok(Some(Self { id, definition, token, position, write_count, document_count, changed }))
    }
}

impl Changed {
    /// Remembers changes, and forgets the oldest ones where they are too many.
    fn add(&mut self, position: Position, keys: &[Rc<str>]) {
        self.keys.extend(keys.iter().map(|key| (position, Rc::clone(key))));
        let is_too_much = |keys: &[(Position, Rc<str>)]| {
            let bytes = keys.iter().fold(0_usize, |bytes, (_, key)| bytes.saturating_add(key.len()));
            CHANGED_KEYS_MAX < keys.len() || CHANGED_BYTES_MAX < bytes
        };
        while is_too_much(&self.keys)
            && let Some((oldest, _)) = self.keys.first().cloned()
        {
            self.after = oldest;
            self.keys.retain(|(position, _)| oldest < *position);
        }
    }

    /// The keys of the documents that changed after a position, each once. `None` where not all are known.
    pub fn since(&self, position: Position) -> Option<Vec<Rc<str>>> {
        if position < self.after {
            return None;
        }
        let mut keys: Vec<Rc<str>> = Vec::new();
        for (changed_at, key) in &self.keys {
            if position < *changed_at && !keys.contains(key) {
                keys.push(Rc::clone(key));
            }
        }
        Some(keys)
    }
}

fn push_text(body: &mut Vec<u8>, text: &str) {
    varint::push_size(body, text.len());
    body.extend(text.as_bytes());
}

fn text(cursor: &mut Cursor<'_>) -> Result<Rc<str>, Box<Corrupt>> {
    let length = cursor.count(usize::MAX)?;
    let bytes = cursor.take(length)?;
    str::from_utf8(bytes).map(Rc::from).map_err(|_| cursor.corrupt("a text is not UTF-8"))
}
