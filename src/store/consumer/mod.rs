//! Consumers: what `consumer` decides, done. One tab at a time leads, and hands out what comes; the others watch it.
//!
//! Nothing is handed out twice at once by one tab, and what was handed out counts as handled when the next is asked for. It is
//! stored that it is, by a write that expects what this tab wrote last, before anything else is handed out.

mod change;
mod follow;
mod hand_out;
mod stored;

use std::cell::Cell;
use std::rc::Rc;

use crate::consumer::{Lead, Parked, Standing, Watch};
use crate::error::{Detail, Error};
use crate::event::Position;
use crate::host::Host;
use crate::limits;
use crate::query::Query;
use crate::storage::Storage;

use super::projection::Turn;
use super::subscribe::is_passing;
use super::{EventPage, Shared, Store};

use hand_out::Portion;

pub use change::{ConsumerChange, ConsumerInfo};

/// The pause after the first failure that may pass; it doubles with each that follows.
const PAUSE_MS: u64 = 100;
/// The longest pause between two attempts.
const PAUSE_MS_MAX: u64 = 5_000;

/// Which consumer is meant, and what it is to have.
#[derive(Debug, Clone)]
pub struct ConsumerRequest {
    /// Its name: whoever has it shares how far it is.
    pub name: Rc<str>,
    /// Where it begins, if there is none of this name yet.
    pub after: Position,
    /// Which events it is handed.
    pub query: Query,
    /// How many at once, at most.
    pub batch: usize,
}

/// Events that are to be handled.
#[derive(Debug, Clone)]
pub struct Handout {
    /// The events; [`EventPage::next`] is of no meaning.
    pub page: EventPage,
    /// How often they were tried in vain by now, be it by another tab.
    pub attempts: u64,
}

/// What there is to say of events that were handed out, and are not handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// They take their time.
    Pending,
    /// They were tried in vain, and are to be tried again.
    Failed {
        /// After how long. Until then nothing has to be said of them for the lead to be kept.
        pause_ms: u64,
    },
    /// They are to be parked, with their streams. Several are not: they come again one by one.
    Parked {
        /// How often they were tried.
        attempts: u64,
        /// Why they could not be handled: at most [`limits::PARKED_REASON_BYTES_MAX`] bytes.
        reason: Rc<str>,
    },
    /// They are given back untried, or tried in vain: they come again, here or elsewhere.
    Returned,
}

/// One tab's part in a consumer: it watches who leads, or leads, and is handed event after event.
pub struct Consumer<S: Storage, H: Host> {
    shared: Rc<Shared<S, H>>,
    request: ConsumerRequest,
    state: Rc<State>,
    /// Whether it was found stored.
    is_known: bool,
    /// The bytes of the standing as they were found or written last.
    bytes: Option<Vec<u8>>,
    watch: Watch,
    /// The token of a leader that is gone, as long as its lock is held here.
    gone: Option<(u64, H::Lock)>,
    lead: Option<Lead>,
    /// The lock of the lead.
    held: Option<H::Lock>,
    /// What was read to be handed out.
    portion: Option<Portion>,
    /// Between which positions nothing is wanted.
    clear: (Position, Position),
}

/// What can be seen and said while a consumer waits.
#[derive(Default)]
struct State {
    is_stopped: Cell<bool>,
    is_leading: Cell<bool>,
    position: Cell<Position>,
}

/// Looks after a consumer while it waits.
#[derive(Clone)]
pub struct ConsumerControl<S: Storage, H: Host> {
    shared: Rc<Shared<S, H>>,
    state: Rc<State>,
}

/// What a step came to.
enum Stepped {
    /// There is more to do.
    On,
    /// Events are to be handled, or it has ended.
    Out(Option<Handout>),
}

/// What was found stored of a consumer.
struct Found {
    standing: Standing,
    parked: Vec<Parked>,
}

impl<S: Storage, H: Host> Store<S, H> {
    /// A consumer of this tab. Where none of the name is stored, [`Consumer::next`] stores one. Where one is stored with another
    /// query, it goes on with this one from where it is, and those that began with the other one end.
    pub fn consumer(&self, request: ConsumerRequest) -> Consumer<S, H> {
        Consumer {
            shared: Rc::clone(&self.shared),
            request,
            state: Rc::default(),
            is_known: false,
            bytes: None,
            watch: Watch::default(),
            gone: None,
            lead: None,
            held: None,
            portion: None,
            clear: (Position::START, Position::START),
        }
    }
}

impl<S: Storage, H: Host> Consumer<S, H> {
    /// Sees to it that the consumer is stored, so that it is known where it begins.
    ///
    /// # Errors
    ///
    /// As of [`Consumer::next`], which tries it again where that is of use; `QUOTA_EXCEEDED`, `STORAGE_FAILED`.
    pub async fn begin(&mut self) -> Result<(), Error> {
        self.found().await?;
        Ok(())
    }

    /// The next events, as soon as this tab has the lead and there are some. Those that it gave before count as handled. `None` once it
    /// was stopped, and the lead is left to others, or once it was removed.
    ///
    /// While the storage fails it tries again, at longer and longer intervals of at most five seconds, for ever.
    ///
    /// # Errors
    ///
    /// `CORRUPT_DATA` where what comes next, or what is stored of the consumer, cannot be read, and where nothing may be
    /// written; `INVALID_ARGUMENT` where another consumer of the name has begun later, with another query; `CLOSED`.
    pub async fn next(&mut self) -> Result<Option<Handout>, Error> {
        let mut pause_ms = 0;
        loop {
            match self.step().await {
                Ok(Stepped::On) => pause_ms = 0,
                Ok(Stepped::Out(handout)) => return Ok(handout),
                Err(error) if !is_passing(&error) => return Err(error),
                Err(_) if self.state.is_stopped.get() => return Ok(None),
                Err(_) => {
                    pause_ms = (2 * pause_ms).clamp(PAUSE_MS, PAUSE_MS_MAX);
                    self.shared.host.sleep(pause_ms).await;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Stepped, Error> {
        self.shared.check_open()?;
        if self.store(&|lead| lead.handled()).await? == Turn::Done
            && let Some(lead) = &mut self.lead
        {
            lead.take_back();
        }
        if self.state.is_stopped.get() {
            self.leave().await;
            return Ok(Stepped::Out(None));
        }
        match self.lead {
            None => self.follow().await,
            Some(_) => self.hand_out().await,
        }
    }

    /// Says of the events that were handed out that they are not handled, and why. [`Turn::Lost`] where another tab has the
    /// lead by now: whatever becomes of them here, they are handed out there.
    ///
    /// # Errors
    ///
    /// `LIMIT_EXCEEDED` where a reason is too long, or as many streams are parked as may be; `QUOTA_EXCEEDED`, `STORAGE_FAILED`, `CLOSED`.
    pub async fn report(&mut self, report: &Report) -> Result<Turn, Error> {
        if let Report::Parked { reason, .. } = report {
            limits::check("reason bytes", reason.len(), limits::PARKED_REASON_BYTES_MAX)?;
            let count = self.lead.as_ref().map_or(0, Lead::parked_count_after);
            limits::check("parked streams", count, limits::PARKED_STREAMS_MAX)?;
        }
        let now = self.shared.host.now();
        let turn = self
            .store(&|lead| match report {
                Report::Pending => Some(lead.beaten()),
                Report::Failed { pause_ms } => Some(lead.failed(*pause_ms)),
                Report::Parked { attempts, reason } => lead.parking(*attempts, now, reason),
                Report::Returned => None,
            })
            .await?;
        if matches!(report, Report::Parked { .. })
            && let Some(lead) = &mut self.lead
        {
            lead.parked();
        }
        if matches!(report, Report::Parked { .. } | Report::Returned) {
            self.take_back();
        }
        Ok(turn)
    }

    /// Goes on behind what is handled or parked, whatever was handed out or read on.
    fn take_back(&mut self) {
        if let Some(lead) = &mut self.lead {
            lead.take_back();
            self.portion = None;
        }
    }

    /// What can look after it while it waits.
    pub fn control(&self) -> ConsumerControl<S, H> {
        ConsumerControl { shared: Rc::clone(&self.shared), state: Rc::clone(&self.state) }
    }

    /// Leaves the lead to others. Where that cannot be written, they find that the lock is free, or that nothing goes on.
    async fn leave(&mut self) {
        if self.lead.is_some() {
            let _ = self.store(&|lead| Some(lead.left())).await;
            self.lose();
        }
    }

    /// Takes note that this tab has not the lead any more.
    fn lose(&mut self) {
        self.lead = None;
        self.held = None;
        self.portion = None;
        self.watch = Watch::default();
        self.state.is_leading.set(false);
    }
}

impl<S: Storage, H: Host> ConsumerControl<S, H> {
    /// Up to where everything is handled, parked, or of no interest, as far as this tab knows.
    pub fn position(&self) -> Position {
        self.state.position.get()
    }

    /// Whether this tab has the lead, as far as it knows.
    pub fn is_leading(&self) -> bool {
        self.state.is_leading.get()
    }

    /// Ends this tab's part: it is handed nothing any more. Where it waits because of a failure, it ends after that.
    pub fn stop(&self) {
        self.state.is_stopped.set(true);
        self.shared.news.spread();
    }
}

fn corrupt(name: &str, problem: String) -> Error {
    Error::new(Detail::CorruptData { position: None, segment: format!("consumers/{name}"), problem })
}
