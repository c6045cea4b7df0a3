//! A caller who was not answered repeats the append in another tab, while the first tab still finds out.

use everfold::log::Expected;
use everfold::storage::Durability;
use everfold::store::Bounds;
use everfold::store::{AppendRequest, OpenOptions, Store};
use everfold::testing::executor::Executor;
use everfold::testing::faulty_storage::{Fault, Faults, FaultyStorage, Operation, Target};
use everfold::testing::simulated_host::{Announcements, SimulatedOrigin};
use everfold::testing::simulated_storage::{SimulatedDatabase, Weather};
use futures_util::future::join3;

use crate::one_tab::{event, numbered, whole_log, write};

#[test]
fn anothers_commit_of_the_same_ids_is_not_taken_for_ones_own() {
    for seed in 0..50 {
        let executor = Executor::new(seed);
        executor.run_until(repeat_elsewhere(&executor, seed)).unwrap();
    }
}

async fn repeat_elsewhere(executor: &Executor, seed: u64) {
    let scheduler = executor.scheduler();
    let origin = SimulatedOrigin::new(&scheduler, Announcements { lost_permille: 1_000, delay_ms_max: 0 });
    let database = SimulatedDatabase::new(&scheduler, Weather { step_ms_max: 5, ..Weather::default() });
    let open = async |faults: &Faults| {
        let host = origin.host(origin.tab(), "test");
        let storage = FaultyStorage::new(database.handle(host.tab()), faults);
        Store::open(
            storage,
            host,
            OpenOptions { durability: Durability::Relaxed, bounds: Bounds::ON_DEMAND },
            |_| (),
        )
        .await
        .unwrap()
    };
    let faults = Faults::default();
    let (one, other) = (open(&faults).await, open(&Faults::default()).await);
    faults.arm(Target::Only(Operation::Commit), 0, Fault::CommitLost);
    let request = |stream: &str, event| AppendRequest {
        writes: vec![write(stream, Expected::Any, vec![event])],
        condition: None,
        durability: None,
    };
    let repeated = one.append(request("a", numbered("Made", 1))).1;
    let beside_it = one.append(request("b", event("Beside"))).1;
    let elsewhere = other.append(request("a", numbered("Made", 1))).1;
    let (repeated, beside_it, elsewhere) = join3(repeated, beside_it, elsewhere).await;
    let (repeated, elsewhere) = (repeated.unwrap(), elsewhere.unwrap());
    assert_ne!(repeated.duplicate, elsewhere.duplicate, "seed {seed}: one is the repetition of the other");
    assert_eq!(repeated.last_position, elsewhere.last_position, "seed {seed}");
    let page = other.read_all(&whole_log()).await.unwrap();
    let mut positions = vec![repeated.last_position, beside_it.unwrap().last_position];
    positions.sort();
    let found: Vec<_> = page.entries().map(|entry| entry.position).collect();
    assert_eq!(found, positions, "seed {seed}: what is acknowledged is in the log");
}
