//! Documents of declarative projections in the making: of which ones events are, what becomes of each, and what is to be
//! written for it. Pure.
//!
//! What folds them is known by what it does alone, [`Folding`], as a store knows its storage: its code need not be where that of
//! projections is.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod batch;

use std::fmt;
use std::rc::Rc;

use crate::error::Error;
use crate::projection::changes::Change;
use crate::reducer::{DocumentProgram, EventView, IndexPaths, ReducerFailure, Versions};

use batch::Batch;

/// Folds events into documents, by a document that says how. Known by what it does alone.
pub struct DocumentReducer {
    definition: Rc<dyn Defined>,
}

/// What is known of a definition.
trait Defined {
    fn begin(self: Rc<Self>) -> Box<dyn Folding>;
    fn is_for(&self, event_type: &str, metadata: Option<&str>) -> bool;
}

/// How documents follow from events.
struct Definition {
    program: DocumentProgram,
    indexes: Vec<IndexPaths>,
    /// The versions of types that it was written for.
    versions: Versions,
}

/// The documents of a batch of events. All are met before the first is folded.
pub trait Folding {
    /// Takes note of the documents that an event is of. Errors: where that cannot be said.
    fn meet(&mut self, event: &EventView<'_>) -> Result<(), ReducerFailure>;

    /// The keys of the documents that were met, and are not here yet.
    fn lacking(&self) -> Vec<Rc<str>>;

    /// Takes in the documents that lacked, as they are stored. Gives the key of one that is none.
    fn bring(&mut self, stored: Vec<Option<Rc<str>>>) -> Option<Rc<str>>;

    /// Folds an event, the next of those that were met. Errors: where that cannot be done. Documents may be changed in part then, and
    /// are all of no use any more.
    fn fold(&mut self, event: &EventView<'_>) -> Result<(), ReducerFailure>;

    /// How many documents are here.
    fn count(&self) -> usize;

    /// What is to be written for a document, by its number, beginning with the document itself: nothing where it is as it is stored.
    fn change(&self, number: usize) -> Changed;
}

/// What became of a document.
#[derive(Debug)]
pub struct Changed {
    /// Its key, where anything is to be written.
    pub key: Option<Rc<str>>,
    /// The document, and the entries of indexes.
    pub changes: Vec<Change>,
    /// The position of the event that changed it last.
    pub last_position: u64,
    /// How long its text is.
    pub size_bytes: usize,
}

impl DocumentReducer {
    /// Compiles a declarative projection: as of [`DocumentProgram::compile`].
    pub fn compile(
        on: &str,
        key: Option<&str>,
        indexes: Vec<IndexPaths>,
        versions: Versions,
    ) -> Result<Self, Error> {
        let program = DocumentProgram::compile(on, key)?;
        Ok(Self { definition: Rc::new(Definition { program, indexes, versions }) })
    }

    /// Begins a batch.
    pub fn begin(&self) -> Box<dyn Folding> {
        Rc::clone(&self.definition).begin()
    }

    /// Whether events of this type and with these metadata are of the version that it was written for.
    pub fn is_for(&self, event_type: &str, metadata: Option<&str>) -> bool {
        self.definition.is_for(event_type, metadata)
    }
}

impl Defined for Definition {
    fn begin(self: Rc<Self>) -> Box<dyn Folding> {
        Box::new(Batch::new(self))
    }

    fn is_for(&self, event_type: &str, metadata: Option<&str>) -> bool {
        let version = self.versions.of(event_type);
        version.is_none_or(|version| self.versions.is_of(metadata, version))
    }
}

impl fmt::Debug for DocumentReducer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DocumentReducer").finish_non_exhaustive()
    }
}
