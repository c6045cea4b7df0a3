//! The machine against a log that is no more than its length.

use super::{Reached, Step, Subscription, Tell};
use crate::position::Position;

/// What is told to a machine.
enum Told {
    Asked,
    Failed,
    Stopped,
    /// A page was read to a position behind which there is more.
    ReadBefore(u64, usize),
    /// A page was read to the end.
    ReadEnd(u64, usize),
}
use Told::{Asked, Failed, ReadBefore, ReadEnd, Stopped};

const ASK: Step = Step::Ask;
const WAIT: Step = Step::Wait;
const END: Step = Step::End;

fn read(after: u64, as_of: u64) -> Step {
    Step::Read { after: Position(after), as_of: Position(as_of) }
}

fn pause(duration_ms: u64) -> Step {
    Step::Pause { duration_ms }
}

/// Tells a subscription after position 2 what happened, and asks it for the next step at each head.
#[track_caller]
fn check(life: &[(&[Told], u64, Step)], looked_at: u64) {
    let mut subscription = Subscription::new(Position(2));
    for (place, (told, head, step)) in life.iter().enumerate() {
        for told in *told {
            tell(&mut subscription, told);
        }
        assert_eq!(subscription.next(Position(*head)), *step, "step {place}");
    }
    assert_eq!(subscription.looked_at(), Position(looked_at), "looked at");
}

fn tell(subscription: &mut Subscription, told: &Told) -> Option<Tell> {
    match *told {
        Asked => subscription.asked(),
        Failed => subscription.failed(),
        Stopped => subscription.stop(),
        ReadBefore(position, count) => {
            return Some(subscription.read(Reached::Before(Position(position)), count));
        }
        ReadEnd(position, count) => return Some(subscription.read(Reached::End(Position(position)), count)),
    }
    None
}

#[test]
fn it_reads_page_after_page_and_then_waits_for_what_comes() {
    check(
        &[
            (&[], 0, ASK),
            (&[Asked], 9, read(2, 9)),
            (&[ReadBefore(5, 3)], 12, read(5, 12)),
            (&[ReadEnd(12, 0)], 12, WAIT),
            (&[], 12, WAIT),
            (&[], 13, read(12, 13)),
            (&[ReadEnd(13, 1)], 13, WAIT),
        ],
        13,
    );
}

#[test]
fn a_log_that_ends_before_it_is_waited_for() {
    check(&[(&[Asked], 1, read(2, 1)), (&[ReadEnd(1, 0)], 2, WAIT), (&[], 3, read(2, 3))], 2);
}

#[test]
fn a_failure_pauses_it_longer_each_time_and_then_it_asks_anew() {
    check(
        &[
            (&[Failed], 0, pause(100)),
            (&[], 0, ASK),
            (&[Failed], 0, pause(200)),
            (&[Failed], 0, pause(400)),
            (&[Failed, Failed, Failed, Failed, Failed], 0, pause(5_000)),
            (&[], 0, ASK),
            (&[Asked], 3, read(2, 3)),
            (&[Failed], 3, pause(5_000)),
            (&[], 3, ASK),
            (&[Asked, ReadEnd(3, 1)], 3, WAIT),
            (&[], 4, read(3, 4)),
            (&[Failed], 4, pause(100)),
        ],
        3,
    );
}

#[test]
fn one_that_is_stopped_does_nothing_whatever_it_is_told() {
    for told in [Asked, Failed, ReadBefore(9, 1), ReadEnd(9, 1)] {
        check(&[(&[Asked, Stopped, told], 9, END)], 2);
    }
}

#[test]
fn a_page_is_looked_at_when_the_next_one_is_asked_for() {
    let mut subscription = Subscription::new(Position(2));
    subscription.asked();
    tell(&mut subscription, &ReadEnd(9, 1));
    assert_eq!(subscription.looked_at(), Position(2));
    assert_eq!(subscription.next(Position(9)), WAIT);
    assert_eq!(subscription.looked_at(), Position(9));
}

#[test]
fn the_consumer_is_told_of_events_and_whenever_the_end_is_reached_anew() {
    let mut subscription = Subscription::new(Position(0));
    for (told, expected) in [
        (ReadBefore(10, 0), Tell::Nobody),
        (ReadBefore(20, 4), Tell::Consumer),
        (ReadEnd(30, 0), Tell::Consumer),
        (ReadEnd(40, 0), Tell::Nobody),
        (ReadEnd(50, 1), Tell::Consumer),
        (ReadBefore(60, 0), Tell::Nobody),
        (ReadEnd(70, 0), Tell::Consumer),
        (Stopped, Tell::Nobody),
        (ReadEnd(80, 1), Tell::Nobody),
    ] {
        assert_eq!(tell(&mut subscription, &told).unwrap_or(Tell::Nobody), expected);
    }
}
