//! What is stored of a consumer: found, and changed by who leads it.

use crate::consumer::{Change, Lead, Parked, Standing, keys};
use crate::error::Error;
use crate::host::Host;
use crate::limits;
use crate::storage::{Area, Direction, PageRequest, Record, Request, Storage, Written};

use super::super::projection::Turn;
use super::{Consumer, Found, corrupt};

/// The standing of a consumer, and all that it has parked.
pub(super) fn request(name: &str) -> Request {
    let parked = PageRequest {
        area: Area::Consumers,
        range: keys::parked_of(name),
        direction: Direction::Forwards,
        // No tab parks more but by writing at the same moment as another that has lost the lead, which is refused.
        count_max: limits::PARKED_STREAMS_MAX + 1,
    };
    Request { keys: vec![(Area::Consumers, keys::standing(name))], pages: vec![parked], then: None }
}

/// The standing under its key. Errors: `CORRUPT_DATA`.
pub(super) fn standing(name: &str, bytes: Vec<u8>) -> Result<Standing, Error> {
    Standing::from_bytes(&keys::standing(name), bytes).map_err(|problem| corrupt(name, problem.to_string()))
}

/// What is parked under a key. Errors: `CORRUPT_DATA`.
pub(super) fn parked(name: &str, Record { key, value }: Record) -> Result<Parked, Error> {
    let stream = keys::stream_of(name, &key).unwrap_or_default();
    Parked::from_bytes(stream, &key, value).map_err(|problem| corrupt(name, problem.to_string()))
}

/// What is parked, of a page of records. Errors: `CORRUPT_DATA`.
pub(super) fn all_parked(name: &str, records: Vec<Record>) -> Result<Vec<Parked>, Error> {
    let mut all = Vec::with_capacity(records.len());
    for record in records {
        all.push(parked(name, record)?);
    }
    Ok(all)
}

impl<S: Storage, H: Host> Consumer<S, H> {
    /// Looks at what is stored, and brings what is known of the log up to the head. Where another one leads by now, this
    /// tab does not any more. `None` where nothing is stored.
    pub(super) async fn look(&mut self) -> Result<Option<Found>, Error> {
        let name = &*self.request.name;
        let mut found = self.shared.refresh_with(request(name)).await?;
        self.shared.check_open()?;
        self.bytes = found.values.pop().flatten();
        let Some(bytes) = self.bytes.clone() else {
            self.lose();
            return Ok(None);
        };
        let standing = standing(name, bytes)?;
        let parked = all_parked(name, found.pages.pop().unwrap_or_default())?;
        match &mut self.lead {
            Some(lead) if lead.standing().token == standing.token => lead.found(standing, parked.clone()),
            Some(_) => self.lose(),
            None => {}
        }
        Ok(Some(Found { standing, parked }))
    }

    /// Stores what `make` says of the lead, unless this tab has lost it. It is asked again where somebody else has written under the
    /// same token.
    pub(super) async fn store(&mut self, make: &dyn Fn(&Lead) -> Option<Change>) -> Result<Turn, Error> {
        loop {
            let Some(lead) = &self.lead else { return Ok(Turn::Lost) };
            let Some(change) = make(lead) else { return Ok(Turn::Done) };
            if self.put(change.clone()).await? == Written::Yes {
                if let Some(lead) = &mut self.lead {
                    lead.stored(change);
                    self.state.position.set(lead.seen());
                }
                return Ok(Turn::Done);
            }
            self.look().await?;
        }
    }

    async fn put(&mut self, change: Change) -> Result<Written, Error> {
        self.shared.check_writable()?;
        let name = &*self.request.name;
        let Change { standing, parked } = change;
        let key = keys::standing(name);
        let bytes = standing.to_bytes(&key);
        let mut puts = vec![(Area::Consumers, key.clone(), bytes.clone())];
        let mut deletes = Vec::new();
        if let Some((stream, parked)) = parked {
            let key = keys::parked(name, &stream);
            match parked {
                Some(parked) => {
                    let bytes = parked.to_bytes(&key);
                    puts.push((Area::Consumers, key, bytes));
                }
                None => deletes.push((Area::Consumers, key.into())),
            }
        }
        let expect = vec![(Area::Consumers, key, self.bytes.clone())];
        let written = self.shared.put(expect, deletes, puts).await?;
        if written == Written::Yes {
            self.bytes = Some(bytes);
        }
        Ok(written)
    }

    /// Stores the standing of who takes the lead, or begins.
    pub(super) async fn put_standing(&mut self, standing: Standing) -> Result<Written, Error> {
        self.put(Change { standing, parked: None }).await
    }
}
