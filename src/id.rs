//! Event ids: UUIDs given by callers, and UUIDs that the store makes.

use std::fmt;

/// The id of an event: a UUID, which makes an append safe to repeat.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; EventId::BYTES]);

impl EventId {
    /// Length of an id in bytes.
    pub const BYTES: usize = 16;
    /// Length of an id's text in characters.
    pub const TEXT_LENGTH: usize = 36;
    /// Length of what the ids made by one [`IdGenerator`] have in common, in bytes.
    pub const PREFIX_BYTES: usize = 12;

    /// The id of these bytes, in the order of RFC 9562.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, in the order of RFC 9562.
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// Reads the text form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, in either case and of any version.
    /// `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text: &[u8; Self::TEXT_LENGTH] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; Self::BYTES];
        let mut nibble_count = 0;
        for (place, &character) in text.iter().enumerate() {
            if matches!(place, 8 | 13 | 18 | 23) {
                if character != b'-' {
                    return None;
                }
                continue;
            }
            let nibble = match character {
                b'0'..=b'9' => character - b'0',
                b'a'..=b'f' => character - b'a' + 10,
                b'A'..=b'F' => character - b'A' + 10,
                _ => return None,
            };
            bytes[nibble_count / 2] |= if nibble_count % 2 == 0 { nibble << 4 } else { nibble };
            nibble_count += 1;
        }
        Some(Self(bytes))
    }

    /// Appends the text form, in lower case, to `text`.
    pub fn write_text(self, text: &mut String) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [b'-'; Self::TEXT_LENGTH];
        let mut place = 0;
        for byte in self.0 {
            place += usize::from(matches!(place, 8 | 13 | 18 | 23));
            digits[place] = DIGITS[usize::from(byte >> 4)];
            digits[place + 1] = DIGITS[usize::from(byte & 15)];
            place += 2;
        }
        text.push_str(str::from_utf8(&digits).unwrap_or_default());
    }

    /// What it has in common with other ids of one [`IdGenerator`]: its first [`EventId::PREFIX_BYTES`] bytes.
    pub fn prefix(&self) -> &[u8] {
        &self.0[..Self::PREFIX_BYTES]
    }

    /// Whether it is a UUIDv8, as those are that an [`IdGenerator`] makes: then its last four bytes count.
    pub fn is_counted(self) -> bool {
        let [_, _, _, _, _, _, version, _, variant, ..] = self.0;
        version >> 4 == 8 && variant >> 6 == 0b10
    }

    /// Splits off the last four bytes, which count in the ids that the store makes.
    pub fn to_parts(self) -> ([u8; Self::PREFIX_BYTES], u32) {
        let [prefix @ .., a, b, c, d] = self.0;
        (prefix, u32::from_be_bytes([a, b, c, d]))
    }

    /// The inverse of [`EventId::to_parts`].
    pub fn from_parts(prefix: [u8; Self::PREFIX_BYTES], counter: u32) -> Self {
        let mut bytes = [0; Self::BYTES];
        bytes[..Self::PREFIX_BYTES].copy_from_slice(&prefix);
        bytes[Self::PREFIX_BYTES..].copy_from_slice(&counter.to_be_bytes());
        Self(bytes)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(Self::TEXT_LENGTH);
        self.write_text(&mut text);
        formatter.write_str(&text)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Makes ids: UUIDv8 (RFC 9562, section 5.8) of a random prefix and a counter.
///
/// An id is never derived from a position, because positions may move when a log is merged with another.
/// Ids of one generator stored side by side cost two bytes each instead of sixteen.
#[derive(Debug)]
pub struct IdGenerator {
    prefix: [u8; EventId::PREFIX_BYTES],
    counter: u32,
}

impl IdGenerator {
    /// A generator whose ids begin with `prefix`, but for the six bits that make them a UUIDv8.
    pub fn new(mut prefix: [u8; EventId::PREFIX_BYTES]) -> Self {
        prefix[6] = 0x80 | (prefix[6] & 0x0f);
        prefix[8] = 0x80 | (prefix[8] & 0x3f);
        Self { prefix, counter: 0 }
    }

    /// How many ids it can still make before it needs a new prefix.
    pub fn remaining(&self) -> u32 {
        u32::MAX - self.counter
    }

    /// The next id. The caller renews the generator when [`IdGenerator::remaining`] is 0.
    pub fn next_id(&mut self) -> EventId {
        assert!(0 < self.remaining());
        let id = EventId::from_parts(self.prefix, self.counter);
        self.counter += 1;
        id
    }
}
