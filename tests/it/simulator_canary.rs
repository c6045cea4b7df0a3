//! The simulator notices a store that does not keep its promises: each of these storages makes it break one.

use std::cell::{Cell, RefCell};
use std::panic::catch_unwind;

use everfold::error::WriteOutcome;
use everfold::storage::{
    Area, Batch, Durability, FaultKind, Found, GuardedWrite, Head, Key, LogRecord, Outcome, Request, Seen,
    Storage, StorageFault, Usage, Written,
};
use everfold::testing::prng::Prng;
use everfold::testing::simulated_storage::SimulatedStorage;
use everfold::testing::store_simulator::{Strain, simulate_under};

/// In how many lives of a browser a defect has to show.
const SEEDS: u64 = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    AcknowledgesWithoutWriting,
    HandsJudgeNoTail,
    SaysThatNothingWasWritten,
    LosesTheLastRecordOfAPage,
    LosesABlock,
    DeletesTheTail,
    WritesWhateverIsExpected,
    LosesWhatIsParked,
    LosesTheLastEventToConsume,
}

use Defect::*;

/// A storage that is wrong once in a while.
struct Canary {
    inner: SimulatedStorage,
    defect: Defect,
    prng: RefCell<Prng>,
}

impl Canary {
    fn is_wrong(&self, defect: Defect) -> bool {
        self.defect == defect && self.prng.borrow_mut().chance(100)
    }

    async fn head(&self) -> Result<Head, StorageFault> {
        Ok(self.inner.read(Request::default()).await?.head)
    }
}

impl Storage for Canary {
    fn strongest_durability(&self) -> Durability {
        self.inner.strongest_durability()
    }

    async fn read(&self, request: Request) -> Result<Found, StorageFault> {
        let mut found = self.inner.read(request).await?;
        for page in &mut found.pages {
            if self.is_wrong(LosesTheLastRecordOfAPage) || self.is_wrong(LosesTheLastEventToConsume) {
                page.pop();
            }
        }
        Ok(found)
    }

    async fn commit<J>(&self, seen: Seen, durability: Durability, judge: J) -> Result<Outcome, StorageFault>
    where
        J: FnOnce(Head, &[LogRecord]) -> Option<Batch> + 'static,
    {
        if self.is_wrong(AcknowledgesWithoutWriting) && self.head().await? == seen.head {
            let batch = judge(seen.head, &[]);
            return Ok(batch.map_or(Outcome::Rejected, |batch| Outcome::Committed(batch.head)));
        }
        if self.is_wrong(HandsJudgeNoTail) {
            let judge = |head: Head, _: &[LogRecord]| judge(head, &[]);
            return self.inner.commit(seen, durability, judge).await;
        }
        let outcome = self.inner.commit(seen, durability, judge).await?;
        if matches!(outcome, Outcome::Committed(_)) && self.is_wrong(SaysThatNothingWasWritten) {
            let (kind, outcome) = (FaultKind::Failed, WriteOutcome::NotWritten);
            return Err(StorageFault { kind, outcome, cause: "a lie".to_owned() });
        }
        Ok(outcome)
    }

    async fn write(&self, mut write: GuardedWrite) -> Result<Written, StorageFault> {
        let block = write.puts.iter().position(|(area, ..)| *area == Area::Units);
        if let Some(block) = block
            && self.is_wrong(LosesABlock)
        {
            write.puts.remove(block);
        }
        if self.is_wrong(DeletesTheTail) {
            let of_log = write.deletes.iter_mut().filter(|(area, _)| *area == Area::Log);
            of_log.for_each(|(_, range)| range.to = None);
        }
        if self.is_wrong(WritesWhateverIsExpected) {
            write.expect.clear();
        }
        let is_parked = |put: &(Area, Key, Vec<u8>)| put.0 == Area::Consumers && put.1 >= Key::Bytes(vec![1]);
        if write.puts.iter().any(is_parked) && self.is_wrong(LosesWhatIsParked) {
            write.puts.retain(|put| !is_parked(put));
        }
        self.inner.write(write).await
    }

    async fn usage(&self) -> Result<Usage, StorageFault> {
        self.inner.usage().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// Whether the simulation of a seed goes wrong: the model finds it, or an assertion of the storage or the store.
fn is_noticed(strain: Strain, seed: u64, defect: Defect) -> bool {
    let draws = Cell::new(seed);
    let wrap = move |inner| {
        draws.set(draws.get() + 1);
        Canary { inner, defect, prng: RefCell::new(Prng::new(draws.get())) }
    };
    catch_unwind(|| simulate_under(strain, seed, wrap)).map_or(true, |result| result.is_err())
}

#[track_caller]
fn check(defect: Defect) {
    check_under(Strain::NONE, defect);
}

#[track_caller]
fn check_under(strain: Strain, defect: Defect) {
    let noticed = (0..SEEDS).filter(|seed| is_noticed(strain, *seed, defect)).count();
    // The suite runs a thousand seeds: one in twenty is fifty of them.
    assert!(SEEDS as usize / 20 < noticed, "{defect:?} was noticed in {noticed} of {SEEDS} seeds");
}

#[test]
fn a_storage_that_acknowledges_without_writing_is_noticed() {
    check(AcknowledgesWithoutWriting);
}

#[test]
fn a_storage_that_hides_what_other_tabs_wrote_is_noticed() {
    check(HandsJudgeNoTail);
}

#[test]
fn a_storage_that_denies_what_it_wrote_is_noticed() {
    check(SaysThatNothingWasWritten);
}

#[test]
fn a_storage_that_loses_a_record_of_a_page_is_noticed() {
    check(LosesTheLastRecordOfAPage);
}

#[test]
fn a_storage_that_loses_a_block_of_a_unit_is_noticed() {
    check(LosesABlock);
}

#[test]
fn a_storage_that_deletes_what_was_appended_since_is_noticed() {
    check(DeletesTheTail);
}

#[test]
fn a_storage_that_writes_for_who_has_lost_the_lead_is_noticed() {
    check_under(Strain::CONSUMING, WritesWhateverIsExpected);
}

#[test]
fn a_storage_that_loses_what_a_consumer_has_parked_is_noticed() {
    check_under(Strain::CONSUMING, LosesWhatIsParked);
}

#[test]
fn a_storage_that_loses_an_event_that_is_to_be_consumed_is_noticed() {
    check_under(Strain::CONSUMING, LosesTheLastEventToConsume);
}
