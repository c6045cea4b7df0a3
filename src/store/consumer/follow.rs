//! Watching who leads, and taking the lead.

use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, select};

use crate::consumer::{Lead, Leader, Led, Standing, Verdict, Watch, Work, fingerprint};
use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::storage::{Storage, Written};

use super::super::AllRead;
use super::{Consumer, Found, Stepped};

/// How long who takes the lead waits for its lock: nobody else has it but who takes the lead at the same moment.
const CLAIM_MS: u64 = 500;
/// How long the lock of who leads is waited for at once.
const LOCK_MS: u64 = 60_000;

impl<S: Storage, H: Host> Consumer<S, H> {
    /// Looks who leads, takes the lead where that is due, and waits where it is not.
    pub(super) async fn follow(&mut self) -> Result<Stepped, Error> {
        let Some(found) = self.found().await? else { return Ok(Stepped::Out(None)) };
        let work = match found.parked.iter().any(|parked| parked.is_wanted) {
            true => Work::Some,
            false => self.work_after(found.standing.position).await?,
        };
        let seen = if work == Work::None { self.clear.1 } else { found.standing.position };
        self.state.position.set(seen.max(found.standing.position));
        let leader = match &self.gone {
            Some((token, _)) if *token == found.standing.token => Leader::Gone,
            _ => Leader::Unknown,
        };
        match self.watch.look(&found.standing, leader, work) {
            Verdict::Claim => self.claim(found).await?,
            verdict => self.wait(verdict, &found.standing).await,
        }
        Ok(Stepped::On)
    }

    /// Looks at what is stored, and stores a consumer where there is none, or where there is one with another query. `None` where it
    /// was removed. Errors: `INVALID_ARGUMENT` where it has been stored with another query since.
    pub(super) async fn found(&mut self) -> Result<Option<Found>, Error> {
        let query = fingerprint(&self.request.query);
        loop {
            let found = self.look().await?;
            let standing = match &found {
                Some(found) if found.standing.query == query => None,
                Some(_) if self.is_known => return Err(asked_otherwise()),
                None if self.is_known => None,
                Some(found) => Some(found.standing.asked_otherwise(query)),
                None => Some(Standing::new(self.request.after, self.token_by_chance(), query)),
            };
            let Some(standing) = standing else {
                self.is_known = true;
                return Ok(found);
            };
            // Where somebody else was faster, theirs is looked at next.
            if self.put_standing(standing).await? == Written::Yes {
                // Who leads an old query looks, although nothing is new in the log.
                self.shared.host.announce(self.shared.index.borrow().head().position);
                self.shared.news.spread();
            }
        }
    }

    fn token_by_chance(&self) -> u64 {
        let mut bytes = [0; 8];
        self.shared.host.random(&mut bytes[..6]);
        u64::from_le_bytes(bytes)
    }

    /// Whether an event is wanted that comes after a position.
    async fn work_after(&mut self, position: Position) -> Result<Work, Error> {
        let head = self.shared.index.borrow().head().position;
        let (from, to) = self.clear;
        if position < from || to < position {
            self.clear = (position, position);
        }
        while self.clear.1 < head {
            let read = AllRead {
                after: self.clear.1,
                query: self.request.query.clone(),
                limit: Some(1),
                as_of: Some(head),
                ..AllRead::everything()
            };
            let page = self.shared.next_page(read).await?;
            if !page.events.is_empty() {
                return Ok(Work::Some);
            }
            self.clear.1 = page.next.map_or(head, Position);
        }
        Ok(Work::None)
    }

    async fn claim(&mut self, found: Found) -> Result<(), Error> {
        let Found { standing, parked } = found;
        let token = standing.passed_on(Led::No).token;
        let lock = match self.shared.host.has_locks() {
            true => self.shared.host.lock(&self.lock_name(token), CLAIM_MS).await,
            false => None,
        };
        let led = if lock.is_some() { Led::WithLock } else { Led::WithoutLock };
        let standing = standing.passed_on(led);
        if self.put_standing(standing).await? == Written::Yes {
            self.portion = None;
            self.lead = Some(Lead::new(standing, parked));
            self.held = lock;
            self.gone = None;
            self.state.is_leading.set(true);
        }
        Ok(())
    }

    /// Waits until it is time to look again, or the leader is gone.
    async fn wait(&mut self, verdict: Verdict, standing: &Standing) {
        if self.state.is_stopped.get() {
            return;
        }
        let shared = self.shared.clone();
        let pause: LocalBoxFuture<'_, ()> = match verdict {
            Verdict::Rest if shared.index.borrow().head().position <= self.clear.1 => {
                shared.watch();
                shared.news.come().boxed_local()
            }
            // What came while it was looked for may be wanted.
            Verdict::Rest => return,
            _ => shared.host.sleep(Watch::LOOK_MS).boxed_local(),
        };
        if standing.led != Led::WithLock || !shared.host.has_locks() {
            return pause.await;
        }
        let name = self.lock_name(standing.token);
        match select(shared.host.lock(&name, LOCK_MS).boxed_local(), pause).await {
            Either::Left((Some(lock), _)) => self.gone = Some((standing.token, lock)),
            Either::Left((None, pause)) => pause.await,
            Either::Right(_) => {}
        }
    }

    /// The lock of who leads with this token.
    fn lock_name(&self, token: u64) -> String {
        format!("consumer:{}:{token}", self.request.name)
    }
}

fn asked_otherwise() -> Error {
    const PROBLEM: &str = "is not that with which this consumer began later, in this tab or in another; reload the page, or give one of them another name";
    Error::invalid_argument("options.query", PROBLEM)
}
