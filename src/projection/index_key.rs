//! The keys of index entries: values of a document, and its key, as bytes that are in the order of the values.
//!
//! ```text
//! false  10        number  20 and eight bytes        text  30, its bytes with 00 as 00 ff, and 00
//! true   11
//! ```
//!
//! Values stand one after the other, and the key of the document ends the entry. So all entries that begin with the
//! same values are one range, and documents of the same values are in the order of their keys.

/// A value that an index finds documents by. Values of different kinds are in the order of the kinds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IndexValue<'a> {
    /// `false` comes before `true`.
    Boolean(bool),
    /// By size. `-0` is `0`.
    Number(f64),
    /// By code points, which is the order of its bytes.
    Text(&'a str),
}

const FALSE: u8 = 0x10;
const TRUE: u8 = 0x11;
const NUMBER: u8 = 0x20;
const TEXT: u8 = 0x30;
/// Ends a text. Every kind is above it, and so is what follows a zero byte inside of a text.
const END: u8 = 0;
/// Follows a zero byte inside of a text. No key of a document and no kind is as high.
const INSIDE: u8 = u8::MAX;
const SIGN: u64 = 1 << 63;

/// Appends a value.
pub fn push(bytes: &mut Vec<u8>, value: IndexValue<'_>) {
    match value {
        IndexValue::Boolean(value) => bytes.push(if value { TRUE } else { FALSE }),
        IndexValue::Number(number) => {
            bytes.push(NUMBER);
            // There is one zero.
            let bits = (number + 0.0).to_bits();
            let ordered = if bits & SIGN == 0 { bits | SIGN } else { !bits };
            bytes.extend(ordered.to_be_bytes());
        }
        IndexValue::Text(text) => {
            bytes.push(TEXT);
            for byte in text.bytes() {
                bytes.push(byte);
                if byte == END {
                    bytes.push(INSIDE);
                }
            }
            bytes.push(END);
        }
    }
}

/// The key of the document, behind so many values. `None` where there are not so many.
pub fn document_key(mut entry: &[u8], value_count: usize) -> Option<&[u8]> {
    for _ in 0..value_count {
        entry = after_value(entry)?;
    }
    Some(entry)
}

fn after_value(entry: &[u8]) -> Option<&[u8]> {
    let (kind, mut rest) = entry.split_first()?;
    match *kind {
        FALSE | TRUE => Some(rest),
        NUMBER => rest.get(8..),
        TEXT => loop {
            let end = rest.iter().position(|byte| *byte == END)?;
            rest = rest.get(end.checked_add(1)?..)?;
            match rest.strip_prefix(&[INSIDE]) {
                Some(inside) => rest = inside,
                None => return Some(rest),
            }
        },
        _ => None,
    }
}

#[allow(clippy::indexing_slicing, reason = "a test may end where it is surprised")]
#[cfg(test)]
mod tests {
    use super::IndexValue::{Boolean, Number, Text};
    use super::*;

    fn bytes_of(values: &[IndexValue<'_>], key: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        values.iter().for_each(|value| push(&mut bytes, *value));
        bytes.extend(key.as_bytes());
        bytes
    }

    #[test]
    fn bytes_are_in_the_order_of_the_values() {
        let ascending = [
            Boolean(false),
            Boolean(true),
            Number(f64::MIN),
            Number(-1.5),
            Number(-1.0),
            Number(-f64::MIN_POSITIVE),
            Number(0.0),
            Number(5e-324),
            Number(1.0),
            Number(2.0),
            Number(1e300),
            Text(""),
            Text("\0"),
            Text("\0\0"),
            Text("\0a"),
            Text("\u{1}"),
            Text("a"),
            Text("a\0"),
            Text("a\0b"),
            Text("aa"),
            Text("b"),
            Text("\u{ffff}"),
            Text("\u{10000}"),
        ];
        for (place, one) in ascending.iter().enumerate() {
            for (other_place, other) in ascending.iter().enumerate() {
                for (key, other_key) in [("", "z"), ("z", "")] {
                    let (one_bytes, other_bytes) = (bytes_of(&[*one], key), bytes_of(&[*other], other_key));
                    let expected = place.cmp(&other_place).then(key.cmp(other_key));
                    assert_eq!(
                        one_bytes.cmp(&other_bytes),
                        expected,
                        "{one:?} {key} and {other:?} {other_key}"
                    );
                }
            }
        }
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(bytes_of(&[Number(-0.0)], "k"), bytes_of(&[Number(0.0)], "k"));
    }

    #[test]
    fn the_key_of_the_document_is_found_behind_the_values() {
        let entry = bytes_of(&[Text("a\0b"), Number(7.0), Boolean(true), Text("")], "order-1");
        assert_eq!(document_key(&entry, 4), Some(b"order-1".as_slice()));
        assert_eq!(document_key(&entry, 5), None, "`o` is no kind");
        for length in 0..bytes_of(&[Text("a\0b"), Number(7.0)], "").len() {
            assert_eq!(document_key(&entry[..length], 2), None, "{length} bytes");
        }
    }
}
