//! What who leads a consumer has in hand, and what is written for what became of it.

use std::rc::Rc;

use crate::event::{Position, UnixMillis};
use crate::id::EventId;

use super::parked::Parked;
use super::standing::{Led, Standing};
use super::watch::Watch;

/// So far beyond what is stored it may be known that nothing has come: to write it down costs what anything costs.
const UNWRITTEN_POSITIONS_MAX: u64 = 4_096;

/// The lead of a consumer: what was stored last, and what was handed out since.
#[derive(Debug, Clone)]
pub struct Lead {
    standing: Standing,
    parked: Vec<Parked>,
    /// To where the log is handled, parked, or of no interest. What was passed over lies before it.
    seen: Position,
    /// Whether something was passed over that who watches takes for work, as long as it is not stored that it was.
    has_passed_over: bool,
    hand: Option<Hand>,
    /// Up to here events are handed out one by one, because several at once could not be handled.
    alone_to: Position,
}

/// What was handed out, and is not yet known to be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// From where it was taken.
    pub source: Source,
    /// The stream of the first event.
    pub stream: Rc<str>,
    /// The position of the first event.
    pub first: Position,
    /// Its id.
    pub event: EventId,
    /// How many events.
    pub count: usize,
    /// Up to where all is done once they are handled.
    pub to: Position,
}

/// Where events are taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The log, behind what was seen of it.
    Log,
    /// What was passed over of a stream.
    Parked {
        /// The stream.
        stream: Rc<str>,
        /// The first position of interest.
        from: Position,
    },
}

/// What is to be stored, in the place of what was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// How far the consumer is from now on.
    pub standing: Standing,
    /// A stream, and what is parked of it from now on.
    pub parked: Option<(Rc<str>, Option<Parked>)>,
}

impl Lead {
    /// A lead that was just taken.
    pub fn new(standing: Standing, parked: Vec<Parked>) -> Self {
        let seen = standing.position;
        let alone_to = Position::START;
        Self { standing, parked, seen, has_passed_over: false, hand: None, alone_to }
    }

    /// What was stored last.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// To where the log is handled, parked, or of no interest.
    pub fn seen(&self) -> Position {
        self.seen
    }

    /// What was handed out.
    pub fn hand(&self) -> Option<&Hand> {
        self.hand.as_ref()
    }

    /// What is to be handed out next: what was parked and is wanted again comes first.
    pub fn source(&self) -> Source {
        match self.parked.iter().find(|parked| parked.is_wanted) {
            Some(Parked { stream, from, .. }) => Source::Parked { stream: Rc::clone(stream), from: *from },
            None => Source::Log,
        }
    }

    /// How many events may be handed out together from a position on, of as many as are asked for.
    pub fn count_max(&self, position: Position, asked: usize) -> usize {
        if position <= self.alone_to { 1 } else { asked }
    }

    /// How often what is handed out was tried in vain.
    pub fn attempts(&self) -> u64 {
        self.standing.attempts
    }

    /// Whether a stream is passed over.
    pub fn is_parked(&self, stream: &str) -> bool {
        self.parked.iter().any(|parked| *parked.stream == *stream)
    }

    /// How many streams are passed over once the event that was handed out is parked.
    pub fn parked_count_after(&self) -> usize {
        let is_more = self.hand.as_ref().is_some_and(|hand| hand.count == 1 && !self.is_parked(&hand.stream));
        self.parked.len().saturating_add(usize::from(is_more))
    }

    /// Takes note that an event was passed over because its stream is parked.
    pub fn pass_over(&mut self, position: Position) {
        self.has_passed_over = true;
        self.see(position);
    }

    /// Takes note that there is nothing of interest up to a position.
    pub fn see(&mut self, position: Position) {
        self.seen = self.seen.max(position);
    }

    /// Takes note of what was handed out.
    pub fn hand_out(&mut self, hand: Hand) {
        self.hand = Some(hand);
    }

    /// Forgets what was handed out: it comes again.
    pub fn take_back(&mut self) {
        self.hand = None;
    }

    /// What is to be stored once what was handed out is handled. `None` where nothing was.
    pub fn handled(&self) -> Option<Change> {
        let hand = self.hand.as_ref()?;
        let standing = Standing { attempts: 0, ..self.standing.written() };
        Some(match &hand.source {
            Source::Log => Change { standing: Standing { position: hand.to, ..standing }, parked: None },
            Source::Parked { stream, .. } => {
                let parked = self.parked_of(stream)?;
                let rest = Parked { from: hand.to.next(), ..parked.clone() };
                self.with_parked(stream, Some(rest))
            }
        })
    }

    /// What is to be stored to show that the leader is alive.
    pub fn beaten(&self) -> Change {
        Change { standing: self.standing.written(), parked: None }
    }

    /// What is to be stored when what was handed out could not be handled, and is to be tried again after a pause: nothing is stored while
    /// that lasts.
    pub fn failed(&self, pause_ms: u64) -> Change {
        let mut change = self.beaten();
        change.standing.rest_looks = pause_ms.div_ceil(Watch::LOOK_MS);
        change.standing.attempts = change.standing.attempts.saturating_add(1);
        change
    }

    /// What is to be stored when the event that was handed out is to be parked, with its stream. Where several were, nothing is
    /// parked: see [`Lead::parked()`].
    pub fn parking(&self, attempts: u64, time: UnixMillis, reason: &Rc<str>) -> Option<Change> {
        let hand = self.hand.as_ref()?;
        if 1 < hand.count {
            let standing = Standing { attempts: 0, ..self.standing.written() };
            return Some(Change { standing, parked: None });
        }
        let parked = Parked {
            stream: Rc::clone(&hand.stream),
            from: hand.first,
            event: hand.event,
            attempts,
            time,
            is_wanted: false,
            reason: Rc::clone(reason),
        };
        let mut change = self.with_parked(&hand.stream, Some(parked));
        if hand.source == Source::Log {
            change.standing.position = hand.to;
        }
        Some(change)
    }

    /// Takes note that it is stored. Where several events were handed out they come again one by one, to see which cannot be handled.
    pub fn parked(&mut self) {
        if let Some(hand) = self.hand.take()
            && 1 < hand.count
        {
            self.alone_to = hand.to;
        }
    }

    /// What is to be stored when all is handled that was passed over of a stream.
    pub fn caught_up_with(&self, stream: &Rc<str>) -> Change {
        self.with_parked(stream, None)
    }

    /// What is to be stored when nothing is left to do. `None` where it is of no use.
    pub fn rested(&self) -> Option<Change> {
        let unwritten = self.seen.0.saturating_sub(self.standing.position.0);
        let is_due = self.has_passed_over || UNWRITTEN_POSITIONS_MAX < unwritten;
        let standing = Standing { position: self.seen, attempts: 0, ..self.standing.written() };
        (is_due && 0 < unwritten).then_some(Change { standing, parked: None })
    }

    /// What is to be stored when the lead is left to others.
    pub fn left(&self) -> Change {
        Change { standing: self.standing.passed_on(Led::No), parked: None }
    }

    /// Takes note of a change that was stored.
    pub fn stored(&mut self, change: Change) {
        self.standing = change.standing;
        self.see(change.standing.position);
        if self.standing.position == self.seen {
            self.has_passed_over = false;
        }
        if let Some((stream, parked)) = change.parked {
            self.parked.retain(|other| other.stream != stream);
            self.parked.extend(parked);
        }
    }

    /// Takes note of what was found stored under the same token: somebody wants something that is parked, or an answer was lost.
    pub fn found(&mut self, standing: Standing, parked: Vec<Parked>) {
        self.standing = standing;
        self.parked = parked;
        self.see(standing.position);
    }

    fn parked_of(&self, stream: &str) -> Option<&Parked> {
        self.parked.iter().find(|parked| *parked.stream == *stream)
    }

    /// With what is parked of a stream it is stored up to where it is: what was passed over lies before that position.
    fn with_parked(&self, stream: &Rc<str>, parked: Option<Parked>) -> Change {
        let standing = Standing { position: self.seen, attempts: 0, ..self.standing.written() };
        Change { standing, parked: Some((Rc::clone(stream), parked)) }
    }
}
