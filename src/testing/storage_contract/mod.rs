//! The contract of [`Storage`] as a suite: one function, so that no implementation can choose among its clauses.

mod closing;
mod committing;
mod layout;
mod racing;
mod reading;
mod writing;

use std::cell::RefCell;
use std::rc::Rc;

use crate::event::Position;
use crate::storage::{
    Area, Batch, Direction, Durability, GuardedWrite, Head, Key, KeyRange, LayoutChange, LogRecord, Outcome,
    PageRequest, Request, Seen, Storage, StorageFault,
};

use super::contract::{Broken, BrokenContract, Clause, ensure, ensure_equal, succeeds};
use super::reads::{self, Page};

/// Runs every clause, each on a database of its own.
///
/// `open` makes a new handle to the database of a name. Two calls with one name give two handles to one
/// database. A database that was not named before in this run is empty: where databases outlive a run, `open`
/// makes its names unique.
///
/// Errors: every clause that is broken, by name.
///
/// # Example
///
/// ```
/// use std::cell::RefCell;
/// use std::collections::BTreeMap;
///
/// use everfold::storage::memory::MemoryStorage;
/// use everfold::testing::executor::Executor;
/// use everfold::testing::storage_contract::storage_contract;
///
/// let databases: RefCell<BTreeMap<String, MemoryStorage>> = RefCell::default();
/// let open = async |name: &str| databases.borrow_mut().entry(name.to_owned()).or_default().handle();
/// let kept = Executor::new(1).run_until(storage_contract(open)).unwrap();
/// assert!(kept.is_ok(), "{kept:?}");
/// ```
pub async fn storage_contract<S, O>(open: O) -> Result<(), BrokenContract>
where
    S: Storage,
    O: AsyncFn(&str) -> S,
{
    let mut broken = BrokenContract::default();
    macro_rules! run {
        ($($part:ident: $($clause:ident),+ $(,)?;)+) => {$($(
            broken.record(stringify!($clause), $part::$clause(&open, stringify!($clause)).await);
        )+)+};
    }
    run! {
        reading:
            an_empty_database_has_an_empty_head_and_no_records,
            an_empty_request_is_for_the_head_alone,
            what_is_asked_for_then_is_of_the_same_transaction,
            what_is_asked_for_then_is_found_as_if_it_were_asked_for_alone,
            keys_are_answered_in_their_order,
            keys_and_pages_of_any_areas_are_answered_in_their_order,
            page_bounds_are_inclusive_and_may_be_open,
            a_page_holds_so_many_records_from_its_end,
            a_range_whose_bounds_are_crossed_is_empty,
            positions_order_by_number,
            other_keys_order_by_bytes,
            areas_are_apart,
            values_come_back_to_the_byte,
            large_values_come_back_to_the_byte,
            what_was_read_is_a_copy;
        committing:
            at_the_head_judge_is_handed_no_records,
            behind_the_head_judge_is_handed_the_records_between_in_order,
            judge_is_handed_as_much_as_the_limit_allows,
            past_the_limit_it_gives_up_without_judging_what_others_wrote,
            who_asks_for_all_of_the_tail_gets_it,
            a_changed_layout_gives_up_without_judging_what_others_wrote,
            what_judge_refuses_is_not_written,
            of_a_commit_that_finds_others_ahead_only_what_is_judged_last_is_written,
            a_commit_is_seen_by_the_other_handle_with_its_head,
            a_commit_may_have_several_records,
            every_durability_is_taken;
        racing:
            of_two_commits_at_once_one_sees_the_other,
            no_commit_of_many_at_once_is_lost,
            a_reader_never_sees_half_a_commit,
            of_two_guarded_writes_at_once_one_is_refused;
        writing:
            a_write_holds_to_what_it_expects,
            a_refused_write_changes_nothing,
            one_write_changes_several_areas,
            a_write_replaces_and_deletes,
            a_deletion_takes_all_of_its_range,
            a_deletion_in_the_log_goes_by_number,
            what_a_write_puts_stays_in_the_range_that_it_deletes,
            usage_counts_records_and_bytes;
        layout:
            a_write_may_rewrite_the_log,
            the_next_layout_keeps_the_rest_of_the_head,
            a_write_for_another_layout_changes_nothing,
            a_layout_that_is_held_stays,
            a_refused_write_leaves_the_layout,
            where_the_head_is_damaged_the_layout_cannot_change,
            behind_a_head_of_a_newer_format_nothing_is_written,
            of_two_changes_of_a_layout_one_is_refused,
            no_commit_beside_a_change_of_the_layout_is_lost,
            a_reader_sees_a_change_of_the_layout_whole,
            a_reader_of_several_areas_sees_one_state;
        closing:
            a_closed_handle_refuses_everything,
            closing_again_does_nothing,
            the_other_handle_outlives_a_close,
            an_operation_under_way_at_a_close_is_whole,
            what_was_written_is_there_when_it_is_opened_again;
    }
    broken.into_result()
}

/// What a judge was handed last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct JudgeCall {
    head: Head,
    tail: Vec<LogRecord>,
}

/// Commits `bodies`, each a record of one entry, after whatever head the judge is handed.
async fn append<S: Storage>(
    storage: &S,
    seen: impl Into<Seen>,
    bodies: Vec<Vec<u8>>,
) -> Result<(Outcome, Option<JudgeCall>), StorageFault> {
    let call = Rc::new(RefCell::new(None));
    let handed = Rc::clone(&call);
    let judge = move |head: Head, tail: &[LogRecord]| {
        *handed.borrow_mut() = Some(JudgeCall { head, tail: tail.to_vec() });
        Some(batch_after(head, bodies.clone()))
    };
    let outcome = storage.commit(seen.into(), Durability::Relaxed, judge).await?;
    Ok((outcome, call.take()))
}

/// Commits what must be committed, and gives the new head.
#[track_caller]
fn committed(result: Result<(Outcome, Option<JudgeCall>), StorageFault>) -> Result<Head, Broken> {
    match succeeds(result)? {
        (Outcome::Committed(head), Some(_)) => Ok(head),
        (outcome, call) => {
            Err(Broken::new(format!("not committed but {outcome:?}, judged: {}", call.is_some())))
        }
    }
}

fn batch_after(head: Head, bodies: Vec<Vec<u8>>) -> Batch {
    let mut after = head;
    let mut records = Vec::new();
    for bytes in bodies {
        after.position = after.position.next();
        after.appended_bytes += bytes.len() as u64;
        records.push(LogRecord { first: after.position, bytes });
    }
    Batch { records, head: after }
}

fn log_record(first: u64, bytes: &[u8]) -> LogRecord {
    LogRecord { first: Position(first), bytes: bytes.to_vec() }
}

/// A write that expects nothing and is done where it is answered.
fn unguarded(puts: Vec<(Area, Key, Vec<u8>)>, deletes: Vec<(Area, KeyRange)>) -> GuardedWrite {
    let (layout, durability) = (LayoutChange::Keep, Durability::Relaxed);
    GuardedWrite { expect: Vec::new(), deletes, puts, layout, durability }
}

async fn whole_area<S: Storage>(storage: &S, area: Area) -> Result<Page, StorageFault> {
    reads::page(storage, area, KeyRange::default(), Direction::Forwards, 1_000).await
}

fn keys(page: &Page) -> Vec<Key> {
    page.records.iter().map(|record| record.key.clone()).collect()
}
