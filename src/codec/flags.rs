//! The first byte of an entry: what it is, and which of its columns it has a value in.

/// The flags of an entry. Bits 4 to 7 mean one thing for an event and another for a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryFlags(pub u8);

impl EntryFlags {
    /// It is a fact.
    pub const FACT: u8 = 1 << 0;
    /// Its position is not the one after the entry before it.
    pub const POSITION: u8 = 1 << 1;
    /// Its commit is not the expected one.
    pub const COMMIT: u8 = 1 << 2;
    /// Its time is not its commit's.
    pub const TIME: u8 = 1 << 3;

    /// Event: its revision is not the one after the event before it in its stream.
    pub const REVISION: u8 = 1 << 4;
    /// Event: it has data.
    pub const DATA: u8 = 1 << 5;
    /// Event: it has metadata.
    pub const METADATA: u8 = 1 << 6;
    /// Event: it has tags.
    pub const TAGS: u8 = 1 << 7;

    /// Fact: which bits say its kind.
    pub const FACT_KIND: u8 = 0b1111 << 4;
    /// Fact: the stream was deleted.
    pub const DELETED: u8 = 0;
    /// Fact: the stream was tombstoned.
    pub const TOMBSTONED: u8 = 1 << 4;
    /// Fact: the stream was truncated.
    pub const TRUNCATED: u8 = 2 << 4;

    /// Whether `flag` is set.
    pub fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// Whether the entry has a value in the column of `event_flag`, which only events have.
    pub fn event_has(self, event_flag: u8) -> bool {
        !self.has(Self::FACT) && self.has(event_flag)
    }

    /// Errors: what is wrong with a fact of a kind that is not known.
    pub fn check_fact(self) -> Result<(), &'static str> {
        match self.has(Self::FACT) && Self::TRUNCATED < self.0 & Self::FACT_KIND {
            true => Err("a kind of fact is not known"),
            false => Ok(()),
        }
    }
}
