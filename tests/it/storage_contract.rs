//! Every storage keeps the contract of the port.

use std::cell::RefCell;
use std::collections::BTreeMap;

use everfold::storage::Storage;
use everfold::storage::memory::MemoryStorage;
use everfold::testing::contract::BrokenContract;
use everfold::testing::executor::Executor;
use everfold::testing::storage_contract::storage_contract;

#[track_caller]
fn check<S: Storage>(executor: &Executor, open: impl AsyncFn(&str) -> S) {
    let kept: Result<(), BrokenContract> = executor.run_until(storage_contract(open)).unwrap();
    kept.unwrap();
}

#[test]
fn memory_keeps_the_contract() {
    let databases: RefCell<BTreeMap<String, MemoryStorage>> = RefCell::default();
    check(&Executor::new(0), async |name: &str| {
        databases.borrow_mut().entry(name.to_owned()).or_default().handle()
    });
}
