//! What makes a life harder than it usually is.

use crate::layout::plan::{Bounds, Tail};
use crate::testing::prng::Prng;

/// How often things happen after a step of the simulation, of a thousand times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strain {
    /// A tab is asked to compact everything. Where this is not 0, tabs compact every event unasked, too.
    pub compact_permille: u64,
    /// A tab is to die before one of its next operations on the storage.
    pub die_permille: u64,
    /// A derived record is lost, damaged, or replaced by an older one.
    pub decay_permille: u64,
    /// A tab subscribes.
    pub subscribe_permille: u64,
    /// A tab is frozen for a while, in whatever it does.
    pub freeze_permille: u64,
    /// A tab begins to consume.
    pub consume_permille: u64,
    /// A tab begins to project, or asks for documents.
    pub project_permille: u64,
}

impl Strain {
    /// Life as usual.
    pub const NONE: Self = Self {
        compact_permille: 0,
        die_permille: 0,
        decay_permille: 0,
        subscribe_permille: 0,
        freeze_permille: 0,
        consume_permille: 0,
        project_permille: 0,
    };
    /// Tabs listen to each other, and are frozen in between.
    pub const HEARING: Self = Self { subscribe_permille: 60, freeze_permille: 20, ..Self::NONE };
    /// Tabs consume, and die and are frozen meanwhile.
    pub const CONSUMING: Self =
        Self { die_permille: 20, freeze_permille: 30, consume_permille: 100, ..Self::NONE };
    /// Tabs project and ask for documents, and die and are frozen meanwhile.
    pub const PROJECTING: Self =
        Self { die_permille: 30, freeze_permille: 30, project_permille: 150, ..Self::NONE };
    /// Every step compacts, and hardly a compaction comes to its end undisturbed.
    pub const HEAVY: Self = Self {
        compact_permille: 1_000,
        die_permille: 150,
        decay_permille: 200,
        subscribe_permille: 30,
        ..Self::NONE
    };
}

/// A strain, and the chance of its own with which it strikes: life as usual stays what it is.
pub struct Straining {
    strain: Strain,
    pub prng: Prng,
    /// The chance with which streams are hidden often.
    pub chains: Prng,
}

/// How often a stream begins to be deleted and written again many times in a row, after a step of any life.
const CHAINS_PERMILLE: u64 = 2;

impl Straining {
    pub fn new(strain: Strain, seed: u64) -> Self {
        Self { strain, prng: Prng::new(!seed), chains: Prng::new(seed.rotate_left(32)) }
    }

    pub fn compacts(&mut self) -> bool {
        self.prng.chance(self.strain.compact_permille)
    }

    pub fn chains(&mut self) -> bool {
        self.chains.chance(CHAINS_PERMILLE)
    }

    pub fn kills(&mut self) -> bool {
        self.prng.chance(self.strain.die_permille)
    }

    pub fn decays(&mut self) -> bool {
        self.prng.chance(self.strain.decay_permille)
    }

    pub fn subscribes(&mut self) -> bool {
        self.prng.chance(self.strain.subscribe_permille)
    }

    pub fn freezes(&mut self) -> bool {
        self.prng.chance(self.strain.freeze_permille)
    }

    pub fn consumes(&mut self) -> bool {
        self.has_consumers() && self.prng.chance(self.strain.consume_permille)
    }

    /// How long nothing new is asked for, where that is to be so.
    pub fn rests(&mut self) -> Option<u64> {
        let has_followers = self.has_consumers() || self.has_projections();
        (has_followers && self.prng.chance(200)).then(|| self.prng.below(3_000))
    }

    pub fn projects(&mut self) -> bool {
        self.has_projections() && self.prng.chance(self.strain.project_permille)
    }

    pub fn has_projections(&self) -> bool {
        self.strain.project_permille != 0
    }

    pub fn has_consumers(&self) -> bool {
        self.strain.consume_permille != 0
    }

    /// When tabs compact the log unasked.
    pub fn bounds(&self, usual: Bounds) -> Bounds {
        match self.strain.compact_permille {
            0 => usual,
            _ => Bounds { tail: Tail { event_count: 1, ..usual.tail }, ..usual },
        }
    }
}
