//! Every host keeps the contract of the port.

use everfold::testing::executor::Executor;
use everfold::testing::host_contract::host_contract;
use everfold::testing::simulated_host::{Announcements, SimulatedOrigin};

#[test]
fn the_simulated_host_keeps_the_contract() {
    for seed in 0..200 {
        let executor = Executor::new(seed);
        let announcements = Announcements { lost_permille: 300, delay_ms_max: 50 };
        let origin = SimulatedOrigin::new(&executor.scheduler(), announcements);
        let suite = host_contract(async |name: &str| origin.host(origin.tab(), name));
        let kept = executor.run_until(suite).unwrap();
        assert!(kept.is_ok(), "seed {seed}: {kept:?}");
    }
}
