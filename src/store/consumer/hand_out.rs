//! Handing out what comes, in its order.

use std::rc::Rc;

use crate::consumer::{Hand, Source};
use crate::error::Error;
use crate::event::Position;
use crate::host::Host;
use crate::query::{Query, QueryItem};
use crate::storage::Storage;

use super::super::projection::Turn;
use super::super::{AllRead, EventPage};
use super::{Consumer, Handout, Stepped};

/// What was read to be handed out.
pub(super) struct Portion {
    /// What of.
    source: Source,
    page: EventPage,
    /// How many events were handed out, or passed over.
    taken: usize,
    /// Up to where it was read.
    to: Position,
    /// Whether it is all there is of its source.
    is_last: bool,
}

impl<S: Storage, H: Host> Consumer<S, H> {
    /// Hands out what is next, reads what comes after that, or waits for it.
    pub(super) async fn hand_out(&mut self) -> Result<Stepped, Error> {
        if let Some(handout) = self.take() {
            return Ok(Stepped::Out(Some(handout)));
        }
        let Some(lead) = &mut self.lead else { return Ok(Stepped::On) };
        let done = self.portion.take();
        if let Some(Portion { source: Source::Log, to, .. }) = &done {
            lead.see(*to);
        }
        self.state.position.set(lead.seen());
        let source = lead.source();
        let done = done.filter(|done| done.source == source);
        let seen = lead.seen();
        let head = self.shared.index.borrow().head().position;
        let everything = AllRead { as_of: Some(head), ..AllRead::everything() };
        let read = match &source {
            Source::Log if seen < head => {
                Some(AllRead { after: seen, query: self.request.query.clone(), ..everything })
            }
            Source::Log => None,
            Source::Parked { stream, from } => match (of_stream(&self.request.query, stream), done) {
                (None, _) | (_, Some(Portion { is_last: true, .. })) => None,
                (Some(query), done) => {
                    let after = done.map_or(Position(from.0.saturating_sub(1)), |done| done.to);
                    Some(AllRead { after, before: Some(seen.next()), query, ..everything })
                }
            },
        };
        if let Some(read) = read {
            let page = self.shared.next_page(read).await?;
            let (to, is_last) = (page.next.map_or(page.as_of, Position), page.next.is_none());
            self.portion = Some(Portion { source, page, taken: 0, to, is_last });
            return Ok(Stepped::On);
        }
        let rests = source == Source::Log;
        let turn = self
            .store(&|lead| match &source {
                Source::Log => lead.rested(),
                Source::Parked { stream, .. } => Some(lead.caught_up_with(stream)),
            })
            .await?;
        if turn == Turn::Lost || !rests {
            return Ok(Stepped::On);
        }
        // Something may have come while that was stored.
        if self.shared.index.borrow().head().position <= seen && !self.state.is_stopped.get() {
            self.shared.watch();
            self.shared.news.come().await;
        }
        // After a long wait the lead may be another's: nothing is handed out before that is known.
        self.look().await?;
        Ok(Stepped::On)
    }

    /// What is next of what was read. `None` where nothing is left of it.
    fn take(&mut self) -> Option<Handout> {
        let (lead, portion) = (self.lead.as_mut()?, self.portion.as_mut()?);
        let Portion { source, page, taken, to, .. } = portion;
        let mut events = Vec::new();
        let mut hand: Option<Hand> = None;
        let mut count_max = self.request.batch;
        while let Some((record, place)) = page.events.get(*taken)
            && events.len() < count_max
        {
            *taken += 1;
            let Some(entry) = record.entry(*place) else { continue };
            if *source == Source::Log && lead.is_parked(entry.stream) {
                if hand.is_none() {
                    lead.pass_over(entry.position);
                }
                continue;
            }
            if hand.is_none() {
                count_max = lead.count_max(entry.position, count_max);
            }
            let hand = hand.get_or_insert_with(|| Hand {
                source: source.clone(),
                stream: entry.stream.into(),
                first: entry.position,
                event: entry.id,
                count: 0,
                to: entry.position,
            });
            hand.count += 1;
            hand.to = entry.position;
            events.push((Rc::clone(record), *place));
        }
        let mut hand = hand?;
        if *source == Source::Log && *taken == page.events.len() {
            hand.to = *to;
        }
        lead.hand_out(hand);
        let page = EventPage { events, next: None, as_of: page.as_of };
        Some(Handout { page, attempts: lead.attempts() })
    }
}

/// What a query wants of one stream. `None` where that is nothing.
fn of_stream(query: &Query, stream: &Rc<str>) -> Option<Query> {
    let mut items = Vec::new();
    for item in query.items() {
        if item.streams.as_ref().is_none_or(|streams| streams.contains(stream)) {
            items.push(QueryItem { streams: Some(vec![Rc::clone(stream)]), ..item.clone() });
        }
    }
    Query::new(items).ok()
}
