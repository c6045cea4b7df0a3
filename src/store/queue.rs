//! The queue of appends: who waits, and what the next group is.

use std::rc::Rc;

use crate::answer::Answer;
use crate::error::{Detail, Error};
use crate::limits;
use crate::log::Append;
use crate::storage::Durability;

use super::{Appended, Ticket};

/// The appends that wait for a transaction.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Vec<Queued>,
    last_ticket: u64,
    /// Whether the writer runs; it stops when it finds nothing waiting.
    writing: bool,
    /// Who waits for the writer to stop.
    idle: Vec<Rc<Answer<()>>>,
}

/// An append that passed all checks that need no log.
pub(super) struct Order {
    pub append: Append,
    pub durability: Durability,
    pub size_bytes: usize,
}

/// An append that waits.
pub(super) struct Queued {
    pub append: Rc<Append>,
    pub member: Member,
}

/// What waits beside an append: how it was asked for, and whom to answer.
pub(super) struct Member {
    ticket: Ticket,
    size_bytes: usize,
    pub durability: Durability,
    answer: Rc<Answer<Result<Appended, Error>>>,
}

impl Member {
    pub fn answer(self, result: Result<Appended, Error>) {
        self.answer.give(result);
    }
}

/// What is to be done after something was queued.
#[derive(PartialEq, Eq)]
pub(super) enum Wake {
    /// Start the writer.
    Writer,
    /// It runs, or there is nothing for it to do.
    Nobody,
}

impl Queue {
    /// Queues an order, or answers at once that it was refused.
    pub fn push(
        &mut self,
        order: Result<Order, Error>,
        answer: Rc<Answer<Result<Appended, Error>>>,
    ) -> (Ticket, Wake) {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        match order {
            Ok(Order { append, durability, size_bytes }) => {
                let member = Member { ticket, size_bytes, durability, answer };
                self.waiting.push(Queued { append: Rc::new(append), member });
            }
            Err(error) => {
                answer.give(Err(error));
                return (ticket, Wake::Nobody);
            }
        }
        match std::mem::replace(&mut self.writing, true) {
            true => (ticket, Wake::Nobody),
            false => (ticket, Wake::Writer),
        }
    }

    /// Puts back, in front and in order, what a group left undecided.
    pub fn put_back(&mut self, mut undecided: Vec<Queued>) {
        undecided.append(&mut self.waiting);
        self.waiting = undecided;
    }

    pub fn withdraw(&mut self, ticket: Ticket) {
        if let Some(place) = self.waiting.iter().position(|queued| queued.member.ticket == ticket) {
            self.waiting.remove(place).member.answer(Err(Error::new(Detail::Aborted)));
        }
    }

    /// The next group: as many as fit into one transaction. `None` stops the writer.
    #[inline(never)]
    pub fn take_group(&mut self) -> Option<Vec<Queued>> {
        let mut size_bytes = 0;
        let mut count = 0;
        for queued in &self.waiting {
            size_bytes += queued.member.size_bytes;
            if limits::GROUP_BYTES_MAX < size_bytes && 0 < count {
                break;
            }
            count += 1;
        }
        let rest = self.waiting.split_off(count);
        let group = std::mem::replace(&mut self.waiting, rest);
        if group.is_empty() {
            self.writing = false;
            self.idle.drain(..).for_each(|waiting| waiting.give(()));
            return None;
        }
        Some(group)
    }

    /// Resolves when the writer stops; `None` when it does not run.
    pub fn idle(&mut self) -> Option<Rc<Answer<()>>> {
        self.writing.then(|| {
            let answer = Rc::<Answer<()>>::default();
            self.idle.push(Rc::clone(&answer));
            answer
        })
    }
}
