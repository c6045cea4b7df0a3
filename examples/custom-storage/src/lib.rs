//! A storage that is none of everfold's own: a file, which holds all records and is written anew by each transaction.
//!
//! It shows what an implementation of [`Storage`] has to do, and `tests/contract.rs` how it is held to that by the suite of everfold.
//! One process at a time may open a file, any number of handles in it. Its cost grows with the file: for a log of any
//! size, one would append to it.

mod file;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use everfold::error::WriteOutcome;
use everfold::storage::{
    Area, AreaUsage, Batch, Direction, Durability, FaultKind, Found, GuardedWrite, Head, Key, KeyRange,
    LayoutChange, LogRecord, Outcome, PageRequest, Record, Request, Seen, Storage, StorageFault, Usage,
    Written,
};

/// All records: those of an area stand together, in the order of their keys.
type Records = BTreeMap<(Area, Key), Vec<u8>>;

/// What is in a file, and where that is. All handles of a process share one.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    records: RefCell<Records>,
}

/// A handle to a database, which is closed on its own.
#[derive(Debug)]
pub struct FileStorage {
    database: Rc<Database>,
    is_closed: Cell<bool>,
}

impl Database {
    /// Reads a file. Where there is none, the database is empty. Errors: where it cannot be read, or is no such file.
    pub fn open(path: &Path) -> io::Result<Rc<Self>> {
        let records = RefCell::new(file::read(path)?);
        Ok(Rc::new(Self { path: path.to_owned(), records }))
    }

    /// A new handle.
    pub fn handle(self: &Rc<Self>) -> FileStorage {
        FileStorage { database: Rc::clone(self), is_closed: Cell::new(false) }
    }

    /// Puts others in the place of the records: in the file first, so that what cannot be written is nowhere.
    fn replace(&self, records: Records, durability: Durability) -> Result<(), StorageFault> {
        file::write(&self.path, &records, durability == Durability::Strict)
            .map_err(|error| fault(FaultKind::Failed, error.to_string()))?;
        self.records.replace(records);
        Ok(())
    }
}

/// Nothing here waits, so that every method is one transaction: nothing else runs until it is done.
impl Storage for FileStorage {
    fn strongest_durability(&self) -> Durability {
        Durability::Strict
    }

    async fn read(&self, mut request: Request) -> Result<Found, StorageFault> {
        self.check_open()?;
        let records = self.database.records.borrow();
        loop {
            let values = request.keys.iter().map(|key| records.get(key).cloned()).collect();
            let pages = request.pages.iter().map(|asked| page(&records, asked)).collect();
            let mut found = Found { head: head(&records)?, values, pages };
            match request.next(&mut found) {
                Some(next) => request = next,
                None => return Ok(found),
            }
        }
    }

    async fn commit<J>(
        &self,
        seen: Seen,
        durability: Durability,
        mut judge: J,
    ) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        self.check_open()?;
        let mut records = self.database.records.borrow().clone();
        let head = head(&records)?;
        head.check_writer()?;
        let behind_bytes = match head.appended_since(seen.head) {
            Some(bytes) if bytes <= seen.tail_bytes_max => bytes,
            _ => return Ok(Outcome::Behind(head)),
        };
        let tail = if behind_bytes == 0 { Vec::new() } else { log_after(&records, seen.head) };
        let Some(batch) = judge(head, &tail) else { return Ok(Outcome::Rejected) };
        for LogRecord { first, bytes } in batch.records {
            records.insert((Area::Log, Key::Position(first)), bytes);
        }
        records.insert((Area::Meta, Key::text(Head::KEY)), batch.head.to_bytes());
        self.database.replace(records, durability)?;
        Ok(Outcome::Committed(batch.head))
    }

    async fn write(&self, write: GuardedWrite) -> Result<Written, StorageFault> {
        self.check_open()?;
        let mut records = self.database.records.borrow().clone();
        let GuardedWrite { expect, deletes, mut puts, layout, durability } = write;
        if expect.into_iter().any(|(area, key, value)| records.get(&(area, key)) != value.as_ref()) {
            return Ok(Written::Refused);
        }
        if layout != LayoutChange::Keep {
            let head = head(&records)?;
            head.check_writer()?;
            let Some(changed) = head.changed(layout) else { return Ok(Written::Refused) };
            if changed != head {
                puts.push((Area::Meta, Key::text(Head::KEY), changed.to_bytes()));
            }
        }
        for (area, range) in deletes {
            records.retain(|(place, key), _| *place != area || !is_in(&range, key));
        }
        records.extend(puts.into_iter().map(|(area, key, value)| ((area, key), value)));
        self.database.replace(records, durability)?;
        Ok(Written::Yes)
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.check_open()?;
        let mut areas: Vec<AreaUsage> = Vec::new();
        for ((area, key), value) in self.database.records.borrow().iter() {
            let size_bytes = key.size_bytes() + value.len() as u64;
            match areas.last_mut() {
                Some(last) if last.area == *area => {
                    last.record_count += 1;
                    last.size_bytes += size_bytes;
                }
                _ => areas.push(AreaUsage { area: *area, record_count: 1, size_bytes }),
            }
        }
        Ok(Usage { areas, ..Usage::default() })
    }

    async fn close(&self) {
        self.is_closed.set(true);
    }
}

impl FileStorage {
    fn check_open(&self) -> Result<(), StorageFault> {
        if self.is_closed.get() {
            return Err(fault(FaultKind::Closed, "the handle was closed".to_owned()));
        }
        Ok(())
    }
}

/// Nothing is ever written in part, so that a fault leaves nothing behind.
fn fault(kind: FaultKind, cause: String) -> StorageFault {
    StorageFault { kind, outcome: WriteOutcome::NotWritten, cause }
}

/// The head, which is empty in an empty database.
fn head(records: &Records) -> Result<Head, StorageFault> {
    let Some(bytes) = records.get(&(Area::Meta, Key::text(Head::KEY))) else { return Ok(Head::default()) };
    Head::from_bytes(bytes).ok_or_else(|| fault(FaultKind::Damaged, "the head is damaged".to_owned()))
}

fn log_after(records: &Records, seen: Head) -> Vec<LogRecord> {
    let after = Bound::Excluded((Area::Log, Key::Position(seen.position)));
    let of_log = records.range((after, Bound::Unbounded)).take_while(|((area, _), _)| *area == Area::Log);
    let record = |((_, key), bytes): (&(Area, Key), &Vec<u8>)| match key {
        Key::Position(first) => Some(LogRecord { first: *first, bytes: bytes.clone() }),
        Key::Bytes(_) => None,
    };
    of_log.filter_map(record).collect()
}

fn page(records: &Records, PageRequest { area, range, direction, count_max }: &PageRequest) -> Vec<Record> {
    let in_range = records.iter().filter(|((place, key), _)| place == area && is_in(range, key));
    let record =
        |((_, key), value): (&(Area, Key), &Vec<u8>)| Record { key: key.clone(), value: value.clone() };
    match direction {
        Direction::Forwards => in_range.take(*count_max).map(record).collect(),
        Direction::Backwards => in_range.rev().take(*count_max).map(record).collect(),
    }
}

fn is_in(range: &KeyRange, key: &Key) -> bool {
    range.from.as_ref().is_none_or(|from| from <= key) && range.to.as_ref().is_none_or(|to| key <= to)
}
