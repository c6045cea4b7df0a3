//! A unit that is too large to be made at once comes out the same in steps.

use std::rc::Rc;

use everfold::codec::{DecodedRecord, encode_records};
use everfold::event::Position;
use everfold::layout::UnitNumber;
use everfold::layout::unit::{BlockStep, UnitBuilder, UnitIdentity, UnitInfo, decode_block};
use everfold::testing::prng::Prng;

use crate::codec::sample::{self, Commit};

const EVENT_COUNT: u64 = 20_000;

/// Streams by chance of so many, one event a commit.
fn builder(stream_count: u64) -> UnitBuilder {
    let mut prng = Prng::new(stream_count);
    let commits: Vec<Commit> = (1..=EVENT_COUNT)
        .map(|n| {
            sample::commit(vec![sample::plain_event(n, &format!("s{}", prng.below(stream_count)), n, "T")])
        })
        .collect();
    let (first, last) = (Position(1), Position(EVENT_COUNT));
    let mut builder = UnitBuilder::new(UnitIdentity { number: UnitNumber(1), level: 0, first, last });
    for record in encode_records(&sample::frames(&commits)) {
        let decoded = DecodedRecord::decode(&record.bytes, record.first).unwrap();
        builder.add(Rc::new(decoded), &|_| false).unwrap();
    }
    builder
}

#[track_caller]
fn check(stream_count: u64, arrange_steps_min: usize) {
    let mut stepped = builder(stream_count);
    let mut step_count = 1;
    while stepped.arrange_step().is_continue() {
        step_count += 1;
    }
    assert!(arrange_steps_min <= step_count, "only {step_count} steps");
    let (mut stepped, mut at_once) = (stepped.arrange().unwrap(), builder(stream_count).arrange().unwrap());
    let mut block_count = 0;
    loop {
        match stepped.block_step().unwrap() {
            BlockStep::Tried => {}
            BlockStep::Block(built) => {
                assert_eq!(at_once.next_block().unwrap(), Some(built));
                block_count += 1;
            }
            BlockStep::Finished => break,
        }
    }
    assert_eq!(at_once.next_block(), Ok(None));
    while stepped.finish_step().is_continue() {}
    let (stepped, at_once) = (stepped.finish(), at_once.finish());
    assert_eq!((stepped.header.blocks.len(), &stepped.header), (block_count, &at_once.header));
    let entries: Vec<_> = stepped.entries.collect();
    assert!(entries.is_sorted_by(|one, next| one.key < next.key));
    assert!(at_once.entries.eq(entries));
}

#[test]
fn a_unit_of_many_streams_is_the_same_in_steps_as_at_once() {
    check(7, 2);
    check(1_000_000, 20);
}

/// A unit that says of itself what its blocks came to, and what the first block is then.
#[test]
fn the_first_block_is_as_full_as_the_rest_where_a_unit_like_this_is_known() {
    let steps = |like: Option<&UnitInfo>| {
        let mut builder = builder(7);
        if let Some(info) = like {
            builder.expect_like(info);
        }
        let mut arranged = builder.arrange().unwrap();
        let first = arranged.block_step().unwrap();
        while arranged.next_block().unwrap().is_some() {}
        (first, arranged.finish().header.info)
    };
    let (unknown, info) = steps(None);
    assert!(matches!(unknown, BlockStep::Tried), "the guess was right without knowing anything");
    let (BlockStep::Block(built), _) = steps(Some(&info)) else { panic!("the first block is tried again") };
    assert!(decode_block(&built.block).is_ok());
}
