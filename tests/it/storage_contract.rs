//! Every storage keeps the contract of the port.

use std::cell::RefCell;
use std::collections::BTreeMap;

use everfold::storage::Storage;
use everfold::storage::memory::MemoryStorage;
use everfold::testing::executor::{Executor, TabId};
use everfold::testing::faulty_storage::{Fault, Faults, FaultyStorage, Target};
use everfold::testing::simulated_storage::{SimulatedDatabase, Weather};
use everfold::testing::storage_contract::storage_contract;

/// Runs the suite on databases that `create` makes and `handle` opens.
#[track_caller]
fn check<D, S: Storage>(seed: u64, create: impl Fn(&Executor) -> D, handle: impl Fn(&D) -> S) {
    let executor = Executor::new(seed);
    let databases: RefCell<BTreeMap<String, D>> = RefCell::default();
    let open = async |name: &str| {
        handle(databases.borrow_mut().entry(name.to_owned()).or_insert_with(|| create(&executor)))
    };
    let kept = executor.run_until(storage_contract(open)).unwrap();
    assert!(kept.is_ok(), "seed {seed}: {kept:?}");
}

fn simulated(executor: &Executor) -> SimulatedDatabase {
    SimulatedDatabase::new(&executor.scheduler(), Weather { step_ms_max: 20, ..Weather::default() })
}

#[test]
fn memory_keeps_the_contract() {
    check(0, |_| MemoryStorage::new(), MemoryStorage::handle);
}

#[test]
fn the_simulated_storage_keeps_the_contract() {
    for seed in 0..20 {
        check(seed, simulated, |database| database.handle(TabId(1)));
    }
}

#[test]
fn the_faulty_storage_keeps_the_contract_while_it_is_disarmed() {
    let faults = Faults::default();
    check(0, |_| MemoryStorage::new(), |database| FaultyStorage::new(database.handle(), &faults));
}

#[test]
fn a_delay_at_any_operation_keeps_the_contract() {
    for spared in (0..400).step_by(7) {
        let faults = Faults::default();
        faults.arm(Target::Every, spared, Fault::Delayed(5));
        check(spared, simulated, |database| FaultyStorage::new(database.handle(TabId(1)), &faults));
    }
}
