//! Numbers as LEB128, seven bits a byte, the lowest first.

/// Appends `value` in as few bytes as it needs.
pub fn push_unsigned(bytes: &mut Vec<u8>, mut value: u64) {
    while 0x80 <= value {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends a length or an index.
pub fn push_size(bytes: &mut Vec<u8>, value: usize) {
    push_unsigned(bytes, value as u64);
}

/// Appends `value` in zigzag order (0, -1, 1, -2, ...), so that small numbers of either sign are short.
pub fn push_signed(bytes: &mut Vec<u8>, value: i64) {
    push_unsigned(bytes, ((value << 1) ^ (value >> 63)) as u64);
}

/// The number at this place in zigzag order.
pub fn from_zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
