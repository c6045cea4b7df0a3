//! How far a consumer is, and who leads it.

use crate::codec::{Corrupt, varint};
use crate::event::Position;
use crate::layout::keys::tied;
use crate::layout::sealed::{self, Magic};
use crate::storage::Key;

const MAGIC: Magic = Magic(b'c');

/// How far a consumer is, and who leads it: what is stored of it besides what it has parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Up to here everything is handled, or parked.
    pub position: Position,
    /// Of whom it is the turn: one more with each who takes the lead, leaves it, or begins anew somewhere else. It begins
    /// by chance, so that a consumer that was removed and made again is another one.
    pub token: u64,
    /// Whether somebody leads.
    pub led: Led,
    /// How often it was written: as long as somebody leads who has something to do, it grows.
    pub write_count: u64,
    /// How often what comes next was tried in vain.
    pub attempts: u64,
    /// For how many looks who leads is silent, before it tries what comes next again.
    pub rest_looks: u64,
    /// The [`fingerprint()`](super::fingerprint()) of the query of who consumes.
    pub query: u64,
}

/// Whether somebody leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Led {
    /// Nobody does.
    No,
    /// Somebody does, who holds the lock of this token: it comes free when the tab is gone.
    WithLock,
    /// Somebody does, and no lock tells when the tab is gone.
    WithoutLock,
}

impl Standing {
    /// A consumer of what comes after a position, whom nobody leads yet.
    pub fn new(position: Position, token: u64, query: u64) -> Self {
        Self { position, token, led: Led::No, write_count: 0, attempts: 0, rest_looks: 0, query }
    }

    /// The same, of who consumes by another query from now on. Whoever leads has lost the lead.
    #[must_use]
    pub fn asked_otherwise(self, query: u64) -> Self {
        Self { query, attempts: 0, ..self.passed_on(Led::No) }
    }

    /// The same, with the lead in other hands.
    #[must_use]
    pub fn passed_on(self, led: Led) -> Self {
        Self { token: self.token.saturating_add(1), led, ..self.written() }
    }

    /// The same, written once more, by who does not rest.
    #[must_use]
    pub fn written(self) -> Self {
        Self { write_count: self.write_count.saturating_add(1), rest_looks: 0, ..self }
    }

    /// The stored form under this key: see FORMAT.md, "The standing of a consumer".
    pub fn to_bytes(self, key: &Key) -> Vec<u8> {
        let Self { position, token, led, write_count, attempts, rest_looks, query } = self;
        let mut body = vec![led.to_byte()];
        for number in [token, write_count, position.0, attempts, rest_looks] {
            varint::push_unsigned(&mut body, number);
        }
        body.extend(query.to_le_bytes());
        tied(key, MAGIC.seal_plain(&body))
    }

    /// Reads what is stored under a key. Errors: [`Corrupt`] for any other bytes, and for those of another key.
    pub fn from_bytes(key: &Key, bytes: Vec<u8>) -> Result<Self, Box<Corrupt>> {
        let body = MAGIC.open(&tied(key, bytes))?;
        let mut cursor = sealed::body(&body);
        let led = match cursor.byte()? {
            0 => Led::No,
            1 => Led::WithLock,
            2 => Led::WithoutLock,
            _ => return Err(cursor.corrupt("it is not known who leads")),
        };
        let (token, write_count) = (cursor.integer()?, cursor.integer()?);
        let (position, attempts) = (Position(cursor.integer()?), cursor.integer()?);
        let rest_looks = cursor.integer()?;
        let query = u64::from_le_bytes(cursor.array()?);
        sealed::end(&cursor)?;
        Ok(Self { position, token, led, write_count, attempts, rest_looks, query })
    }
}

impl Led {
    fn to_byte(self) -> u8 {
        match self {
            Self::No => 0,
            Self::WithLock => 1,
            Self::WithoutLock => 2,
        }
    }
}
