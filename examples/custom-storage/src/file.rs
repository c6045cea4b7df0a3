//! The file: every record as its area, the kind of its key, and the lengths and bytes of key and value.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use everfold::event::Position;
use everfold::storage::{Area, Key};

use crate::Records;

/// Writes all records beside the file, and has them take its place: whoever reads it meets the old ones or the new ones.
pub fn write(path: &Path, records: &Records, is_flushed: bool) -> io::Result<()> {
    let mut bytes = Vec::new();
    for ((area, key), value) in records {
        let (kind, key) = match key {
            Key::Position(position) => (0, position.0.to_le_bytes().to_vec()),
            Key::Bytes(bytes) => (1, bytes.clone()),
        };
        bytes.extend([*area as u8, kind]);
        bytes.extend((key.len() as u64).to_le_bytes());
        bytes.extend((value.len() as u64).to_le_bytes());
        bytes.extend(key);
        bytes.extend(value);
    }
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(&bytes)?;
    if is_flushed {
        file.sync_all()?;
    }
    fs::rename(beside, path)
}

/// Reads all records; none where there is no file.
pub fn read(path: &Path) -> io::Result<Records> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the file is no such database");
    let mut records = Records::new();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (area, key, value) = record(&mut rest).ok_or_else(damaged)?;
        records.insert((area, key), value);
    }
    Ok(records)
}

fn record(rest: &mut &[u8]) -> Option<(Area, Key, Vec<u8>)> {
    let [area, kind] = take::<2>(rest)?;
    let area = *Area::ALL.get(usize::from(area))?;
    let [key_bytes, value_bytes] = [u64::from_le_bytes(take(rest)?), u64::from_le_bytes(take(rest)?)];
    let key = rest.split_off(..usize::try_from(key_bytes).ok()?)?;
    let value = rest.split_off(..usize::try_from(value_bytes).ok()?)?.to_vec();
    let key = match kind {
        0 => Key::Position(Position(u64::from_le_bytes(key.try_into().ok()?))),
        _ => Key::Bytes(key.to_vec()),
    };
    Some((area, key, value))
}

fn take<const COUNT: usize>(rest: &mut &[u8]) -> Option<[u8; COUNT]> {
    let (front, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*front)
}
