//! What the machines of consumers decide, without a store.

use super::*;

use std::rc::Rc;

use crate::event::{Position, UnixMillis};
use crate::id::EventId;

const LED: Standing = Standing {
    position: Position(7),
    token: 3,
    led: Led::WithLock,
    write_count: 9,
    attempts: 0,
    rest_looks: 0,
    query: 0,
};

fn lead() -> Lead {
    Lead::new(LED, Vec::new())
}

fn hand(source: Source, stream: &str, positions: std::ops::RangeInclusive<u64>) -> Hand {
    Hand {
        source,
        stream: stream.into(),
        first: Position(*positions.start()),
        event: EventId::from_bytes([1; 16]),
        count: positions.clone().count(),
        to: Position(*positions.end()),
    }
}

fn store(lead: &mut Lead, change: Option<Change>) -> Change {
    let change = change.expect("something is to be stored");
    lead.stored(change.clone());
    lead.take_back();
    change
}

#[track_caller]
fn check_looks(looks: &[(Standing, Leader, Work)], verdicts: &[Verdict]) {
    let mut watch = Watch::default();
    let given: Vec<Verdict> =
        looks.iter().map(|(standing, leader, work)| watch.look(standing, *leader, *work)).collect();
    assert_eq!(given, verdicts);
}

#[test]
fn the_lead_is_taken_where_nobody_has_it_or_who_had_it_is_gone() {
    let free = Standing { led: Led::No, ..LED };
    check_looks(&[(free, Leader::Unknown, Work::None)], &[Verdict::Claim]);
    check_looks(&[(LED, Leader::Gone, Work::None)], &[Verdict::Claim]);
    check_looks(&[(LED, Leader::Unknown, Work::None)], &[Verdict::Rest]);
}

#[test]
fn the_lead_is_taken_from_who_does_nothing_although_there_is_something_to_do() {
    use Verdict::{Claim, Look, Rest};
    let look = |standing: Standing| (standing, Leader::Unknown, Work::Some);
    check_looks(&[look(LED); 5], &[Look, Look, Look, Claim, Claim]);
    let beaten = LED.written();
    let looks = [look(LED), look(LED), look(LED), look(beaten), look(beaten), look(beaten), look(beaten)];
    check_looks(&looks, &[Look, Look, Look, Look, Look, Look, Claim]);
    let resting = Standing { rest_looks: 2, ..LED };
    check_looks(&[look(resting); 6], &[Look, Look, Look, Look, Look, Claim]);
    let idle = (LED, Leader::Unknown, Work::None);
    let looks = [look(LED), look(LED), look(LED), idle, look(LED), look(LED)];
    check_looks(&looks, &[Look, Look, Look, Rest, Look, Look]);
}

#[test]
fn what_was_handed_out_is_stored_as_handled_and_no_sooner() {
    let mut lead = lead();
    assert_eq!(lead.handled(), None);
    lead.hand_out(hand(Source::Log, "a", 8..=9));
    let failed = lead.failed(2_000);
    assert_eq!((failed.standing.position, failed.standing.attempts), (Position(7), 1));
    assert_eq!((failed.standing.rest_looks, failed.standing.written().rest_looks), (3, 0));
    lead.stored(failed);
    assert_eq!(lead.attempts(), 1);
    let handled = lead.handled();
    let change = store(&mut lead, handled);
    assert_eq!((change.standing.position, change.standing.attempts), (Position(9), 0));
    assert_eq!(change.standing.token, LED.token);
    assert_eq!(lead.handled(), None);
}

#[test]
fn of_several_events_none_is_parked_and_each_comes_again_alone() {
    let mut lead = lead();
    lead.hand_out(hand(Source::Log, "a", 8..=10));
    let parking = lead.parking(3, UnixMillis(5), &"no".into());
    let change = parking.expect("something is to be stored");
    assert_eq!(
        lead.parking(3, UnixMillis(5), &"no".into()),
        Some(change.clone()),
        "it may have to be said twice"
    );
    lead.stored(change.clone());
    assert!(lead.hand().is_some(), "what is not known to be stored is still in hand");
    lead.parked();
    assert_eq!((lead.hand(), change.standing.position, change.parked), (None, Position(7), None));
    assert_eq!([8, 10, 11].map(|position| lead.count_max(Position(position), 5)), [1, 1, 5]);
}

#[test]
fn a_parked_stream_is_passed_over_until_it_is_wanted_and_then_caught_up_with() {
    let mut lead = lead();
    let a: Rc<str> = "a".into();
    lead.hand_out(hand(Source::Log, "a", 8..=8));
    assert_eq!(lead.parked_count_after(), 1);
    let parking = lead.parking(3, UnixMillis(5), &"no".into());
    let change = store(&mut lead, parking);
    let (_, parked) = change.parked.expect("the stream is parked");
    let parked = parked.expect("the stream is parked");
    assert_eq!((change.standing.position, parked.from, parked.attempts), (Position(8), Position(8), 3));
    assert!(lead.is_parked("a") && !lead.is_parked("b"));

    // What is passed over is stored with the next change that has to do with the stream.
    lead.pass_over(Position(9));
    let rested = lead.rested();
    assert_eq!(rested.map(|change| change.standing.position), Some(Position(9)));
    assert_eq!(lead.source(), Source::Log);
    lead.found(change.standing.written(), vec![Parked { is_wanted: true, ..parked }]);
    let source = lead.source();
    assert_eq!(source, Source::Parked { stream: Rc::clone(&a), from: Position(8) });

    lead.hand_out(hand(source, "a", 8..=8));
    let handled = lead.handled();
    let change = store(&mut lead, handled);
    assert_eq!(change.standing.position, Position(9));
    assert_eq!(lead.source(), Source::Parked { stream: Rc::clone(&a), from: Position(9) });
    let caught_up = lead.caught_up_with(&a);
    store(&mut lead, Some(caught_up));
    assert_eq!((lead.source(), lead.is_parked("a")), (Source::Log, false));
}

#[test]
fn that_nothing_came_is_stored_only_where_it_is_of_use() {
    let mut lead = lead();
    lead.see(Position(7 + 4_096));
    assert_eq!(lead.rested(), None);
    lead.see(Position(8 + 4_096));
    assert!(lead.rested().is_some());
}
