//! A log answers the same while it is compacted.

use everfold::layout::root::Root;
use everfold::storage::memory::MemoryStorage;
use everfold::testing::prng::Prng;

use crate::compacted::by_hand::Erasure;
use crate::compacted::history::History;
use crate::compacted::questions;
use crate::one_tab::{Browser, in_browser};

use super::background::EAGER;
use super::laid::compact;
use super::stored::Stored;

/// Two stores are told and asked the same. One of them has a log that is compacted as it grows, and sometimes all of
/// it.
async fn check(browser: Browser, seed: u64) {
    println!("seed {seed}");
    let mut prng = Prng::new(seed);
    let mut history = History::any(&mut prng);
    let other = browser.beside(&MemoryStorage::new());
    let (original, store) = (browser.open().await, other.open_with(EAGER).await.unwrap());
    let watching = other.open_with(EAGER).await.unwrap();
    for round in 0..4 {
        questions::append_to_both(&original, &store, &mut history, &mut prng).await;
        if prng.chance(300) {
            compact(&store).await.unwrap();
        }
        for store in [&store, &watching] {
            questions::check_same(&original, store, &history, &mut prng, Erasure::Hidden).await;
        }
        if round == 2 {
            let opened_after = other.open_with(EAGER).await.unwrap();
            questions::check_same(&original, &opened_after, &history, &mut prng, Erasure::Hidden).await;
        }
        history = history.then(History::any(&mut prng));
    }
    other.sleep(1_000).await;
    let stored = Stored::read(&other.storage).await;
    stored.check_shape();
    assert_ne!(stored.root, Root::default(), "nothing was compacted");
    questions::check_same(&original, &store, &history, &mut prng, Erasure::Hidden).await;
}

#[test]
fn every_question_has_the_same_answer_while_the_log_is_compacted() {
    for seed in 0..8 {
        in_browser(|browser| check(browser, seed));
    }
}
