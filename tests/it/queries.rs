//! What a query matches, and what asking costs.

use std::time::{Duration, Instant};

use everfold::error::Detail;
use everfold::event::category_of;
use everfold::limits;
use everfold::query::{Query, QueryItem, Subject};
use everfold::testing::prng::Prng;

use crate::one_tab::{item, query};

const TYPES: [&str; 5] = ["A", "B", "C", "$deleted", "a"];
const STREAMS: [&str; 5] = ["a", "a-1", "a-2", "b-1", "A"];
const TAGS: [&str; 5] = ["a", "b", "c", "d", "A"];

/// An event: its type, its stream, its tags.
type Given<'a> = (&'a str, &'a str, &'a [&'a str]);

fn matches(query: &Query, (event_type, stream, tags): Given<'_>) -> bool {
    query.matches(Subject { event_type, stream, tags: tags.iter().copied() })
}

/// The definition, read aloud.
fn should_match(item: &QueryItem, (event_type, stream, tags): Given<'_>) -> bool {
    let QueryItem { types, tags: wanted, streams, categories } = item;
    (match types {
        Some(types) => types.iter().any(|it| **it == *event_type),
        None => !event_type.starts_with('$'),
    }) && streams.as_ref().is_none_or(|streams| streams.iter().any(|it| **it == *stream))
        && categories.as_ref().is_none_or(|names| names.iter().any(|it| **it == *category_of(stream)))
        && wanted.iter().flatten().all(|it| tags.contains(&&**it))
}

/// Some of these, in any order, perhaps one of them twice.
fn some<'a>(prng: &mut Prng, from: &[&'a str]) -> Vec<&'a str> {
    (0..prng.below(4)).map(|_| *prng.pick(from)).collect()
}

#[test]
fn a_query_matches_what_any_of_its_items_does() {
    for seed in 0..300 {
        let prng = &mut Prng::new(seed);
        // Items beyond what one word of a set holds, and one that fills a word to its end.
        let item_count = *prng.pick(&[1, 2, 3, 63, 64, 65, 200]);
        let items: Vec<QueryItem> = (0..item_count)
            .map(|_| {
                let categories = some(prng, &["a", "b", "A"]);
                let rare =
                    |prng: &mut Prng, from| if prng.chance(800) { vec!["none"] } else { some(prng, from) };
                item(&rare(prng, &TYPES), &some(prng, &TAGS), &rare(prng, &STREAMS), &categories)
            })
            .collect();
        let asked = query(items.clone());
        for _ in 0..60 {
            let given = (*prng.pick(&TYPES), *prng.pick(&STREAMS), &some(prng, &TAGS)[..]);
            let should = items.iter().any(|item| should_match(item, given));
            assert_eq!(matches(&asked, given), should, "seed {seed}: {given:?} and {items:?}");
        }
    }
}

#[test]
fn an_item_with_more_tags_than_an_event_can_have_matches_nothing() {
    let names: Vec<String> = (0..500).map(|it| format!("tag-{it}")).collect();
    let tags: Vec<&str> = names.iter().map(String::as_str).collect();
    for wanted in 1..=500 {
        let asked = query(vec![item(&[], &tags[..wanted], &[], &[])]);
        for held in [0, 1, 31, 32] {
            assert_eq!(matches(&asked, ("A", "a", &tags[..held])), wanted <= held, "{wanted} of {held}");
        }
    }
}

#[test]
fn the_streams_of_a_query_are_named_once_and_only_where_each_item_names_some() {
    #[track_caller]
    fn check(items: Vec<QueryItem>, streams: Option<&[&str]>) {
        let asked = query(items);
        assert_eq!(asked.streams().as_deref(), streams);
    }
    let of = |streams: &[&str]| item(&[], &["a-1"], streams, &[]);
    check(vec![of(&["a-1", "b-1", "a-1"]), of(&["b-1", "c-1"])], Some(&["a-1", "b-1", "c-1"]));
    check(vec![of(&["a-1"]), of(&[])], None);
    check(vec![of(&[])], None);
}

/// How long it takes to ask a query about many events, of which it matches none.
#[track_caller]
#[allow(clippy::disallowed_methods, reason = "what is measured is the machine's time")]
fn cost(asked: &Query) -> Duration {
    let once = || {
        let begun = Instant::now();
        for _ in 0..300 {
            assert!(!matches(asked, ("type-3", "stream-7", &["tag-1", "tag-2"])));
        }
        begun.elapsed()
    };
    (0..9).map(|_| once()).min().unwrap_or_default()
}

#[test]
fn what_an_event_costs_does_not_grow_with_items_times_names() {
    let numbered = |kind: &str| -> Vec<String> { (0..9).map(|it| format!("{kind}-{it}")).collect() };
    let (types, tags) = (numbered("type"), numbered("tag"));
    fn texts(names: &[String]) -> Vec<&str> {
        names.iter().map(String::as_str).collect()
    }
    let small = query(vec![item(&["type-3"], &["tag-3"], &[], &[])]);
    let of_types = item(&texts(&types), &["tag-3"], &[], &[]);
    let of_tags = item(&["type-3"], &texts(&tags), &[], &[]);
    for item in [of_types, of_tags] {
        let large = query(vec![item; limits::QUERY_ENTRIES_MAX]);
        let (small, large) = (cost(&small), cost(&large));
        assert!(large < 100 * small, "{large:?} for 10,000 names, {small:?} for two");
    }
}

#[test]
fn the_names_of_a_query_are_counted_together() {
    let of_names = |count: usize| QueryItem {
        types: Some(vec!["A".into(); count]),
        tags: Some(vec!["a".into()]),
        streams: Some(vec!["a-1".into()]),
        categories: Some(vec!["a".into()]),
    };
    let item_count = limits::QUERY_NAMES_MAX / 1_000;
    assert!(Query::new(vec![of_names(997); item_count]).is_ok());
    let mut items = vec![of_names(997); item_count];
    items[3] = of_names(998);
    let error = Query::new(items).expect_err("a name too many");
    let Detail::LimitExceeded { limit, value, maximum, path } = error.detail() else { panic!("{error}") };
    assert_eq!((*limit, *value, *maximum, path.as_str()), ("query names", 10_001, 10_000, "query"));
}
