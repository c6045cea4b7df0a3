//! Projections: what of them is written and read. Who folds is above: the log is read as by anybody, and what it comes
//! to is handed over here.

mod advance;
mod carry_on;
mod documents;
mod known;
mod look;
mod standing;

use std::rc::Rc;

use crate::event::Position;
use crate::projection::changes::Change;
use crate::projection::range::EntryRange;
use crate::projection::{BuildId, Definition, Token};

pub use carry_on::{Carried, CarriedOn, CarryOn, DocumentFailure, GivenEvent};
pub(super) use known::KnownModels;

/// A projection, as its user defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    /// Its name: one set of documents answers for it, whoever asks.
    pub name: Rc<str>,
    /// What its documents follow from.
    pub definition: Definition,
}

/// When a build is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Where there is none of this definition, and none of a higher version.
    IfNew,
    /// Whatever there is.
    Anew,
}

/// How far a projection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The build whose documents are given to who asks; `None` before the first one.
    pub build: Option<BuildId>,
    /// Up to where the log is in the documents that are given to who asks; `None` before the first build.
    pub answering: Option<Position>,
    /// Up to where it is in the build of the definition that was asked about; `None` where there is none.
    pub own: Option<Position>,
    /// Whether that build is the one that answers.
    pub is_answering: bool,
    /// The documents that changed after a position; `None` where not all of them are known.
    pub changed: Option<Vec<Rc<str>>>,
}

/// The right to carry a build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// What it is known by: the next claim ends it.
    pub token: Token,
    /// Up to where the log is folded.
    pub position: Position,
    /// Whether the build answers already.
    pub is_answering: bool,
}

/// Changes of a build are to be written.
#[derive(Debug)]
pub struct Advance {
    /// Of which projection.
    pub projection: Projection,
    /// By whom.
    pub token: Token,
    /// Up to where the log was folded.
    pub position: Position,
    /// The documents that are new, changed or gone.
    pub changed: Vec<Rc<str>>,
    /// What becomes of documents and of entries of indexes.
    pub changes: Vec<Change>,
    /// Whether the build is to answer from now on. It is not where it would be a step back for those who ask: its standing tells.
    pub ready: Ready,
}

/// Whether a build has reached the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// It has, as far as is known. It answers from now on, unless what does was folded further by now.
    Now,
    /// There is more to fold.
    NotYet,
}

/// What became of something that one tab does at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is done.
    Done,
    /// Another one has the turn, or the build is gone: nothing was written.
    Lost,
}

/// Which build of a projection is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The one that answers.
    Answering,
    /// The one that the holder of this token carries on.
    Own(Token),
}

/// Documents are asked for by what an index has of them, or by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// Of which projection.
    pub name: Rc<str>,
    /// The text of the index; `None` for the keys of the documents.
    pub index: Option<Rc<str>>,
    /// Which entries.
    pub range: EntryRange,
    /// Most documents wanted.
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDocuments {
    /// Keys and JSON texts, in the order that was asked for.
    pub rows: Vec<(Rc<str>, Rc<str>)>,
    /// The entry behind which there is more.
    pub next: Option<Vec<u8>>,
}
