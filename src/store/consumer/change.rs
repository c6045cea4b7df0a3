//! What any tab may ask of a consumer, whoever leads it.

use std::rc::Rc;

use crate::consumer::{Led, Parked, Standing, keys};
use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::id::EventId;
use crate::storage::{Area, Direction, Key, PageRequest, Request, Storage, Written};

use super::super::Store;
use super::stored;

/// So many consumers are listed, and so many streams that they have parked.
const LISTED_MAX: usize = 100_000;

/// What is to become of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsumerChange {
    /// It goes on after this position, and has nothing parked.
    Reset {
        /// The last position of no interest.
        after: Position,
    },
    /// What it has parked is to be tried again: that of one event, or all.
    Retry {
        /// The event that could not be handled.
        event: Option<EventId>,
    },
    /// Nothing is known of it any more.
    Remove,
}

/// A consumer, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerInfo {
    /// Its name.
    pub name: Rc<str>,
    /// Up to where everything is handled, or parked.
    pub position: Position,
    /// Whether somebody led it when it was written last.
    pub is_led: bool,
    /// What it has parked, in the order of the streams.
    pub parked: Vec<Parked>,
}

impl<S: Storage, H: Host> Store<S, H> {
    /// Changes what is stored of a consumer. Who leads it notices with its next write, or within seconds. Gives whether there was
    /// anything to change.
    ///
    /// # Errors
    ///
    /// `QUOTA_EXCEEDED`, `STORAGE_FAILED`, `CLOSED`; `CORRUPT_DATA` where what is stored cannot be read, unless it is to be removed.
    pub async fn change_consumer(&self, name: &str, change: &ConsumerChange) -> Result<bool, Error> {
        let shared = &*self.shared;
        loop {
            shared.check_writable()?;
            let mut found = shared.ask(stored::request(name)).await?;
            let Some(bytes) = found.values.pop().flatten() else { return Ok(false) };
            let (mut deletes, mut puts) = (Vec::new(), Vec::new());
            match change {
                ConsumerChange::Remove => deletes.push((Area::Consumers, keys::standing(name).into())),
                ConsumerChange::Reset { after } => {
                    let before = stored::standing(name, bytes.clone())?.passed_on(Led::No);
                    push(&mut puts, name, Standing { position: *after, attempts: 0, ..before });
                }
                ConsumerChange::Retry { event } => {
                    let before = stored::standing(name, bytes.clone())?;
                    let mut parked = stored::all_parked(name, found.pages.pop().unwrap_or_default())?;
                    parked.retain(|parked| event.is_none_or(|event| event == parked.event));
                    let is_known = !parked.is_empty();
                    // Written for nothing, it would look as if who leads were alive.
                    parked.retain(|parked| !parked.is_wanted);
                    if parked.is_empty() {
                        return Ok(is_known);
                    }
                    for parked in parked {
                        let key = keys::parked(name, &parked.stream);
                        let bytes = Parked { is_wanted: true, ..parked }.to_bytes(&key);
                        puts.push((Area::Consumers, key, bytes));
                    }
                    push(&mut puts, name, Standing { attempts: 0, ..before.written() });
                }
            }
            if !matches!(change, ConsumerChange::Retry { .. }) {
                deletes.push((Area::Consumers, keys::parked_of(name)));
            }
            let expect = vec![(Area::Consumers, keys::standing(name), Some(bytes))];
            if shared.put(expect, deletes, puts).await? == Written::Yes {
                shared.news.spread();
                // Where nothing is new in the log, who hears of it looks all the same.
                shared.host.announce(self.position());
                return Ok(true);
            }
        }
    }

    /// The consumers that are stored, in the order of their names, with what each has parked.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA`, `STORAGE_FAILED`, `CLOSED`.
    pub async fn consumers(&self) -> Result<Vec<ConsumerInfo>, Error> {
        self.shared.check_open()?;
        let page = |range| PageRequest {
            area: Area::Consumers,
            range,
            direction: Direction::Forwards,
            count_max: LISTED_MAX,
        };
        let pages = vec![page(keys::all_parked()), page(keys::standings())];
        let mut found = self.shared.refresh_with(Request { pages, ..Request::default() }).await?;
        let mut infos = Vec::new();
        for record in found.pages.pop().unwrap_or_default() {
            let Some(name) = keys::name_of(&record.key) else { continue };
            let Standing { position, led, .. } = stored::standing(name, record.value)?;
            infos.push(ConsumerInfo {
                name: name.into(),
                position,
                is_led: led != Led::No,
                parked: Vec::new(),
            });
        }
        for record in found.pages.pop().unwrap_or_default() {
            let is_of = |info: &&mut ConsumerInfo| keys::stream_of(&info.name, &record.key).is_some();
            if let Some(info) = infos.iter_mut().find(is_of) {
                info.parked.push(stored::parked(&info.name, record)?);
            }
        }
        Ok(infos)
    }
}

fn push(puts: &mut Vec<(Area, Key, Vec<u8>)>, name: &str, standing: Standing) {
    let key = keys::standing(name);
    let bytes = standing.to_bytes(&key);
    puts.push((Area::Consumers, key, bytes));
}
