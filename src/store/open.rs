//! Opening a store: its format, and everything up to the head.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use crate::error::{Detail, Error};
use crate::event::Position;
use crate::host::Host;
use crate::index::Index;
use crate::storage::{
    Area, Durability, Format, Found, GuardedWrite, Head, Key, LayoutChange, Storage, Written,
};

use super::announce::Announcing;
use super::catch_up::first_request;
use super::compact::Background;
use super::news::News;
use super::queue::Queue;
use super::validate::new_generator;
use super::{Life, OpenOptions, Progress, Shared};

pub(super) async fn open<S: Storage, H: Host>(
    storage: S,
    host: H,
    options: OpenOptions,
    progress: impl FnMut(Progress),
) -> Result<Rc<Shared<S, H>>, Error> {
    let (read_only, found) = check_format(&storage).await?;
    let shared = Rc::new_cyclic(|own| Shared {
        own: Weak::clone(own),
        durability: options.durability.min(storage.strongest_durability()),
        ids: RefCell::new(new_generator(&host)),
        storage,
        host,
        read_only,
        index: RefCell::new(Index::default()),
        root: RefCell::default(),
        cache: RefCell::default(),
        early: RefCell::default(),
        queue: RefCell::new(Queue::default()),
        models: Rc::default(),
        bounds: options.bounds,
        background: Background::default(),
        news: News::default(),
        announcing: Announcing::default(),
        life: Cell::new(Life::Open),
    });
    shared.catch_up(Some(found), Box::new(progress)).await?;
    Ok(shared)
}

/// Reads the format, and writes it where the database is new. Gives the reason where the store may be read
/// and not written, and what the first request of a catch-up finds, which is read along.
async fn check_format(storage: &impl Storage) -> Result<(Option<Error>, Found), Error> {
    loop {
        let mut request = first_request();
        request.keys.push((Area::Meta, Key::text(Format::KEY)));
        let mut found = storage.read(request).await?;
        match found.values.pop().flatten() {
            Some(bytes) => return Ok((judge_format(&bytes)?, found)),
            None if found.head.position == Position::START => {
                if write_format(storage).await? == Written::Yes {
                    return Ok((None, found));
                }
            }
            None => return Err(damaged_format("there are events, and no format")),
        }
    }
}

fn judge_format(bytes: &[u8]) -> Result<Option<Error>, Error> {
    let Some(format) = Format::from_bytes(bytes) else {
        return Err(damaged_format("the bytes are not those of a format"));
    };
    let too_new = |version| Error::new(Detail::VersionTooNew { version, supported: Format::CURRENT });
    if format.min_writer < Format::OLDEST {
        let (version, supported) = (format.min_writer, Format::OLDEST);
        return Err(Error::new(Detail::VersionTooOld { version, supported }));
    }
    if Format::CURRENT < format.min_reader {
        return Err(too_new(format.min_reader));
    }
    Ok((Format::CURRENT < format.min_writer).then(|| too_new(format.min_writer)))
}

/// Two tabs may open a new database at once: one of them writes, the other is refused and reads again.
async fn write_format(storage: &impl Storage) -> Result<Written, Error> {
    let key = Key::text(Format::KEY);
    let write = GuardedWrite {
        expect: vec![(Area::Meta, key.clone(), None), (Area::Meta, Key::text(Head::KEY), None)],
        deletes: Vec::new(),
        puts: vec![(Area::Meta, key, Format::current().to_bytes())],
        layout: LayoutChange::Keep,
        durability: Durability::Relaxed,
    };
    Ok(storage.write(write).await?)
}

fn damaged_format(problem: &str) -> Error {
    Error::corrupt_data(None, format!("{}/{}", Area::Meta.name(), Format::KEY), problem)
}
