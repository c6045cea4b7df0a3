//! A log answers the same whether it was compacted or not.

pub mod by_hand;
mod damage;
pub mod history;
pub mod questions;

use everfold::storage::memory::MemoryStorage;
use everfold::testing::prng::Prng;

use crate::one_tab::{Browser, in_browser};

use by_hand::{Erasure, compact, copy};
use history::History;

/// A log and its copy, of which the copy is compacted while stores are open on it.
async fn check(browser: Browser, seed: u64, erasure: Erasure) {
    println!("seed {seed}");
    let mut prng = Prng::new(seed);
    let mut history = History::any(&mut prng);
    let original = browser.open().await;
    history.append(&original, &mut prng).await;
    let storage = MemoryStorage::new();
    copy(&browser.storage, &storage).await;
    let other = browser.beside(&storage);
    let open_before = other.open().await;
    for _ in 0..prng.between(1..=3) {
        compact(&storage, &mut prng, erasure).await;
        let opened_after = other.open().await;
        for store in [&open_before, &opened_after] {
            questions::check_same(&original, store, &history, &mut prng, erasure).await;
        }
        let more = History::any(&mut prng);
        history = history.then(more);
        questions::append_to_both(&original, &open_before, &mut history, &mut prng).await;
    }
    questions::check_same(&original, &open_before, &history, &mut prng, erasure).await;
}

#[test]
fn every_question_has_the_same_answer() {
    for seed in 0..6 {
        in_browser(|browser| check(browser, seed, Erasure::Nothing));
    }
}

#[test]
fn erasing_what_is_hidden_changes_no_answer() {
    for seed in 100..104 {
        in_browser(|browser| check(browser, seed, Erasure::Hidden));
    }
}
