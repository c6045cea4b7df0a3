//! The suite for storages finds storages that break it: each defect is caught by the clause that it offends.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;

use everfold::storage::memory::MemoryStorage;
use everfold::storage::{
    Area, Batch, Direction, Durability, Found, GuardedWrite, Head, LayoutChange, LogRecord, Outcome,
    PageRequest, Record, Request, Seen, Storage, StorageFault, Then, Usage, Written,
};
use everfold::testing::executor::Executor;
use everfold::testing::storage_contract::storage_contract;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    AcknowledgesWithoutWriting,
    HandsJudgeNoTail,
    JudgesHoweverFarBehind,
    IgnoresTheLayout,
    WritesWhatJudgeRefuses,
    WritesWhatWasMadeReady,
    ForgetsExpectations,
    WritesHalfOfARefusal,
    ForgetsDeletes,
    DeletesOneKeyOfARange,
    DeletesAfterItPuts,
    ForgetsTheLayout,
    ChangesAnyLayout,
    HoldsAnyLayout,
    MovesALayoutThatIsHeld,
    ChangesTheLayoutOfARefusal,
    ExcludesTheUpperBound,
    TakesZeroForNoLimit,
    LimitsFromTheWrongEnd,
    SortsPositionsAsText,
    AnswersNothingToNothing,
    AnswersPagesByArea,
    ReadsPagesInATransactionOfTheirOwn,
    ReadsWhatComesThenInAnother,
    LosesEmptyValues,
    MixesUpAreas,
    CountsKeysTwice,
    StaysOpen,
}

use Defect::*;

struct DefectiveStorage {
    defect: Defect,
    inner: MemoryStorage,
}

impl DefectiveStorage {
    fn area(&self, area: Area) -> Area {
        if self.defect == MixesUpAreas && area == Area::Snapshots { Area::Documents } else { area }
    }

    /// Asks for another page than was asked for.
    fn misread(&self, page: &mut PageRequest) {
        page.area = self.area(page.area);
        match self.defect {
            TakesZeroForNoLimit if page.count_max == 0 => page.count_max = usize::MAX,
            LimitsFromTheWrongEnd => page.direction = Direction::Forwards,
            _ => {}
        }
    }

    /// Makes something else of a page that was read.
    fn spoil(&self, asked: &PageRequest, page: &mut Vec<Record>) {
        match self.defect {
            LimitsFromTheWrongEnd if asked.direction == Direction::Backwards => page.reverse(),
            ExcludesTheUpperBound => page.retain(|record| Some(&record.key) != asked.range.to.as_ref()),
            SortsPositionsAsText if asked.area == Area::Log => {
                page.sort_by_key(|record| format!("{:?}", record.key));
            }
            _ => {}
        }
    }

    async fn newest_head(&self) -> Result<Head, StorageFault> {
        Ok(self.inner.read(Request::default()).await?.head)
    }
}

impl Storage for DefectiveStorage {
    fn strongest_durability(&self) -> Durability {
        self.inner.strongest_durability()
    }

    async fn read(&self, mut request: Request) -> Result<Found, StorageFault> {
        for (area, _) in &mut request.keys {
            *area = self.area(*area);
        }
        let asked = request.pages.clone();
        for page in &mut request.pages {
            self.misread(page);
        }
        let mut found = match self.defect {
            AnswersNothingToNothing if request == Request::default() => {
                Found { head: Head::default(), values: Vec::new(), pages: Vec::new() }
            }
            ReadsPagesInATransactionOfTheirOwn => {
                let keys = std::mem::take(&mut request.keys);
                let of_keys = self.inner.read(Request { keys, ..Request::default() }).await?;
                a_turn_of_the_executor().await;
                Found { pages: self.inner.read(request).await?.pages, ..of_keys }
            }
            ReadsWhatComesThenInAnother => {
                let mut then = request.then.take();
                let mut found = self.inner.read(request).await?;
                while let Some(mut next) = then.take().and_then(|Then(then)| then(&mut found)) {
                    a_turn_of_the_executor().await;
                    then = next.then.take();
                    found = self.inner.read(next).await?;
                }
                found
            }
            _ => self.inner.read(request).await?,
        };
        if self.defect == LosesEmptyValues {
            for value in &mut found.values {
                *value = value.take().filter(|value| !value.is_empty());
            }
        }
        for (asked, page) in asked.iter().zip(&mut found.pages) {
            self.spoil(asked, page);
        }
        if self.defect == AnswersPagesByArea {
            let mut pages: Vec<_> = asked.iter().zip(found.pages).collect();
            pages.sort_by_key(|(asked, _)| asked.area);
            found.pages = pages.into_iter().map(|(_, page)| page).collect();
        }
        Ok(found)
    }

    async fn commit<J>(
        &self,
        seen: Seen,
        durability: Durability,
        mut judge: J,
    ) -> Result<Outcome, StorageFault>
    where
        J: FnMut(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        let newest = self.newest_head().await?;
        match self.defect {
            AcknowledgesWithoutWriting => {
                let batch = judge(newest, &[]);
                Ok(batch.map_or(Outcome::Rejected, |batch| Outcome::Committed(batch.head)))
            }
            HandsJudgeNoTail => self.inner.commit(newest.into(), durability, judge).await,
            JudgesHoweverFarBehind if seen.head.layout == newest.layout => {
                let seen = Head { appended_bytes: newest.appended_bytes, ..seen.head };
                self.inner.commit(seen.into(), durability, judge).await
            }
            IgnoresTheLayout => {
                let seen = Head { layout: newest.layout, ..seen.head };
                self.inner.commit(seen.into(), durability, judge).await
            }
            WritesWhatJudgeRefuses => {
                let judge = move |head: Head, tail: &[LogRecord]| {
                    judge(head, tail).or_else(|| Some(one_record_after(head)))
                };
                self.inner.commit(seen, durability, judge).await
            }
            WritesWhatWasMadeReady => {
                let ready = judge(seen.head, &[]).is_some();
                let judge = move |head: Head, tail: &[LogRecord]| {
                    judge(head, tail).or_else(|| ready.then(|| one_record_after(head)))
                };
                self.inner.commit(seen, durability, judge).await
            }
            _ => self.inner.commit(seen, durability, judge).await,
        }
    }

    async fn write(&self, mut write: GuardedWrite) -> Result<Written, StorageFault> {
        for (area, ..) in &mut write.puts {
            *area = self.area(*area);
        }
        match self.defect {
            ForgetsExpectations => write.expect.clear(),
            ForgetsDeletes => write.deletes.clear(),
            DeletesOneKeyOfARange => {
                write.deletes.iter_mut().for_each(|(_, range)| range.to = range.from.clone())
            }
            DeletesAfterItPuts => {
                let deletes = GuardedWrite { puts: Vec::new(), layout: LayoutChange::Keep, ..write.clone() };
                let written = self.inner.write(GuardedWrite { deletes: Vec::new(), ..write }).await?;
                if written == Written::Yes {
                    self.inner.write(GuardedWrite { expect: Vec::new(), ..deletes }).await?;
                }
                return Ok(written);
            }
            ForgetsTheLayout => write.layout = LayoutChange::Keep,
            ChangesAnyLayout if matches!(write.layout, LayoutChange::Next { .. }) => {
                write.layout = LayoutChange::Next { from: self.newest_head().await?.layout };
            }
            HoldsAnyLayout if matches!(write.layout, LayoutChange::Hold { .. }) => {
                write.layout = LayoutChange::Hold { at: self.newest_head().await?.layout };
            }
            MovesALayoutThatIsHeld => {
                if let LayoutChange::Hold { at } = write.layout {
                    write.layout = LayoutChange::Next { from: at };
                }
            }
            ChangesTheLayoutOfARefusal => {
                let (expect, deletes, puts) = (Vec::new(), Vec::new(), Vec::new());
                let layout = GuardedWrite { expect, deletes, puts, ..write };
                let rest = GuardedWrite { layout: LayoutChange::Keep, ..write };
                if self.inner.write(layout).await? == Written::Refused {
                    return Ok(Written::Refused);
                }
                return self.inner.write(rest).await;
            }
            WritesHalfOfARefusal => {
                let first = write.puts.iter().take(1).cloned().collect();
                let puts = GuardedWrite { expect: Vec::new(), puts: first, deletes: Vec::new(), ..write };
                let written = self.inner.write(write.clone()).await?;
                if written == Written::Refused {
                    self.inner.write(puts).await?;
                }
                return Ok(written);
            }
            _ => {}
        }
        self.inner.write(write).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        let mut usage = self.inner.usage().await?;
        if self.defect == CountsKeysTwice {
            usage.areas.iter_mut().for_each(|area| area.size_bytes += area.record_count);
        }
        Ok(usage)
    }

    async fn close(&self) {
        if self.defect != StaysOpen {
            self.inner.close().await;
        }
    }
}

/// Lets everything else go on once.
async fn a_turn_of_the_executor() {
    let mut is_over = false;
    poll_fn(|context| {
        if is_over {
            return Poll::Ready(());
        }
        is_over = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn one_record_after(head: Head) -> Batch {
    let record = LogRecord { first: head.position.next(), bytes: vec![0] };
    let after = Head { position: record.first, ..head };
    Batch { records: vec![record], head: after }
}

/// The clauses that a storage with this defect breaks.
fn broken_by(defect: Defect) -> Vec<&'static str> {
    let databases: RefCell<BTreeMap<String, MemoryStorage>> = RefCell::default();
    let open = async |name: &str| {
        let mut databases = databases.borrow_mut();
        let inner = databases.entry(name.to_owned()).or_default().handle();
        DefectiveStorage { defect, inner }
    };
    let kept = Executor::new(0).run_until(storage_contract(open)).unwrap();
    kept.map_or_else(|broken| broken.clauses.into_iter().map(|(name, _)| name).collect(), |()| Vec::new())
}

#[test]
fn each_defect_is_caught_by_the_clause_that_it_offends() {
    let rows = [
        (AcknowledgesWithoutWriting, "a_commit_is_seen_by_the_other_handle_with_its_head"),
        (HandsJudgeNoTail, "behind_the_head_judge_is_handed_the_records_between_in_order"),
        (JudgesHoweverFarBehind, "past_the_limit_it_gives_up_without_judging_what_others_wrote"),
        (IgnoresTheLayout, "a_changed_layout_gives_up_without_judging_what_others_wrote"),
        (WritesWhatJudgeRefuses, "what_judge_refuses_is_not_written"),
        (WritesWhatWasMadeReady, "of_a_commit_that_finds_others_ahead_only_what_is_judged_last_is_written"),
        (ForgetsExpectations, "a_write_holds_to_what_it_expects"),
        (WritesHalfOfARefusal, "a_refused_write_changes_nothing"),
        (ForgetsDeletes, "a_write_replaces_and_deletes"),
        (DeletesOneKeyOfARange, "a_deletion_takes_all_of_its_range"),
        (DeletesAfterItPuts, "what_a_write_puts_stays_in_the_range_that_it_deletes"),
        (ForgetsTheLayout, "the_next_layout_keeps_the_rest_of_the_head"),
        (ChangesAnyLayout, "a_write_for_another_layout_changes_nothing"),
        (HoldsAnyLayout, "a_write_for_another_layout_changes_nothing"),
        (MovesALayoutThatIsHeld, "a_layout_that_is_held_stays"),
        (ChangesTheLayoutOfARefusal, "a_refused_write_leaves_the_layout"),
        (ExcludesTheUpperBound, "page_bounds_are_inclusive_and_may_be_open"),
        (TakesZeroForNoLimit, "a_page_holds_so_many_records_from_its_end"),
        (LimitsFromTheWrongEnd, "a_page_holds_so_many_records_from_its_end"),
        (SortsPositionsAsText, "positions_order_by_number"),
        (AnswersNothingToNothing, "an_empty_request_is_for_the_head_alone"),
        (AnswersPagesByArea, "keys_and_pages_of_any_areas_are_answered_in_their_order"),
        (ReadsPagesInATransactionOfTheirOwn, "a_reader_of_several_areas_sees_one_state"),
        (ReadsWhatComesThenInAnother, "what_is_asked_for_then_is_of_the_same_transaction"),
        (LosesEmptyValues, "values_come_back_to_the_byte"),
        (MixesUpAreas, "areas_are_apart"),
        (CountsKeysTwice, "usage_counts_records_and_bytes"),
        (StaysOpen, "a_closed_handle_refuses_everything"),
    ];
    for (defect, clause) in rows {
        let broken = broken_by(defect);
        assert!(broken.contains(&clause), "{defect:?} broke only {broken:?}");
    }
    assert_eq!(broken_by(None), Vec::<&str>::new());
}
