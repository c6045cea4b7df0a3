//! Supplements: code that a page loads when it is first needed, after the code that opens, appends and reads.
//!
//! In the shipped package each is a module of its own. It is entered through its gates alone: functions by the name of
//! `gate_`, the supplement and what they do, each of which asks for a proof that the code is there. Everywhere else, the
//! code is there from the beginning.

use std::hint::black_box;
use std::marker::PhantomData;

/// What is loaded when it is first needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supplement {
    /// Compaction, and the making again of a lost directory.
    Compaction,
    /// What is asked besides pages: single events, streams, counts, snapshots.
    Inquiries,
    /// Documents of reducers, and folding with them.
    Folding,
    /// Projections.
    Projections,
    /// Stores in memory.
    Memory,
    /// Consumers.
    Consumers,
}

/// Code of one supplement, as a type.
pub trait Supplementary {
    /// Which it is.
    const SUPPLEMENT: Supplement;
}

/// See [`Supplement::Compaction`].
pub enum Compaction {}
/// See [`Supplement::Inquiries`].
pub enum Inquiries {}
/// See [`Supplement::Folding`].
pub enum Folding {}
/// See [`Supplement::Projections`].
pub enum Projections {}
/// See [`Supplement::Memory`].
pub enum Memory {}
/// See [`Supplement::Consumers`].
pub enum Consumers {}

impl Supplementary for Compaction {
    const SUPPLEMENT: Supplement = Supplement::Compaction;
}

impl Supplementary for Inquiries {
    const SUPPLEMENT: Supplement = Supplement::Inquiries;
}

impl Supplementary for Folding {
    const SUPPLEMENT: Supplement = Supplement::Folding;
}

impl Supplementary for Projections {
    const SUPPLEMENT: Supplement = Supplement::Projections;
}

impl Supplementary for Memory {
    const SUPPLEMENT: Supplement = Supplement::Memory;
}

impl Supplementary for Consumers {
    const SUPPLEMENT: Supplement = Supplement::Consumers;
}

/// Proof that the code of a supplement is there: [`crate::host::supplied`] alone gives it.
pub struct Supplied<S> {
    supplement: PhantomData<S>,
}

impl<S: Supplementary> Supplied<S> {
    pub(crate) fn of_host(_supplied: ()) -> Self {
        Self { supplement: PhantomData }
    }
}

/// What a gate gives: a future, or anything else whose code nobody knows but by its table. Where that table is, is hidden from the
/// compiler: else it would call what stands there without the gate, and have it where the gate is called from.
pub fn entered<T>(made: T) -> T {
    black_box(made)
}

impl Supplement {
    /// All of them, by their numbers.
    pub const ALL: [Self; 6] =
        [Self::Compaction, Self::Inquiries, Self::Folding, Self::Projections, Self::Memory, Self::Consumers];

    /// Its name, as in the name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compaction => "compaction",
            Self::Inquiries => "inquiries",
            Self::Folding => "folding",
            Self::Projections => "projections",
            Self::Memory => "memory",
            Self::Consumers => "consumers",
        }
    }

    /// Its number, as the facade knows it.
    pub fn number(self) -> u32 {
        self as u32
    }
}
