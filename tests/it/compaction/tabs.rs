//! Tabs on one simulated database, with locks or without.

use everfold::error::Error;
use everfold::event::{Position, UnixMillis};
use everfold::host::Host;
use everfold::store::{OpenOptions, Store};
use everfold::supplement::Supplement;
use everfold::testing::executor::{Executor, TabId};
use everfold::testing::simulated_host::{Announcements, SimulatedHost, SimulatedLock, SimulatedOrigin};
use everfold::testing::simulated_storage::{SimulatedDatabase, SimulatedStorage, Weather};

use super::laid::on_demand;

pub type TabStore = Store<SimulatedStorage, TabHost>;

/// An origin with one database.
pub struct Tabs {
    pub executor: Executor,
    pub origin: SimulatedOrigin,
    pub database: SimulatedDatabase,
    locks: Locks,
}

/// Whether the browser has locks between tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locks {
    OfOrigin,
    /// Everybody has what they ask for.
    Missing,
}

/// The host of a tab.
#[derive(Clone)]
pub struct TabHost {
    host: SimulatedHost,
    locks: Locks,
}

impl Tabs {
    pub fn new(seed: u64, locks: Locks) -> Self {
        let executor = Executor::new(seed);
        let scheduler = executor.scheduler();
        let announcements = Announcements { lost_permille: 500, delay_ms_max: 20 };
        let origin = SimulatedOrigin::new(&scheduler, announcements);
        let database = SimulatedDatabase::new(&scheduler, Weather { step_ms_max: 3, ..Weather::default() });
        Self { executor, origin, database, locks }
    }

    /// Opens a store in a tab of its own, whose units have at most so many entries.
    pub async fn open(&self, unit_entries_max: u64) -> (TabId, TabStore) {
        let tab = self.origin.tab();
        (tab, self.opening(tab, on_demand(unit_entries_max)).await.unwrap())
    }

    /// Opens a store in a tab.
    pub fn opening(
        &self,
        tab: TabId,
        options: OpenOptions,
    ) -> impl Future<Output = Result<TabStore, Error>> + use<> {
        self.opening_on(tab, self.database.handle(tab), options)
    }

    /// Opens a store in a tab, on a handle of the tab to the database.
    pub fn opening_on(
        &self,
        tab: TabId,
        storage: SimulatedStorage,
        options: OpenOptions,
    ) -> impl Future<Output = Result<TabStore, Error>> + use<> {
        let host = TabHost { host: self.origin.host(tab, "test"), locks: self.locks };
        Store::open(storage, host, options, |_| ())
    }
}

impl Host for TabHost {
    type Lock = Option<SimulatedLock>;

    fn now(&self) -> UnixMillis {
        self.host.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.host.random(bytes);
    }

    async fn sleep(&self, duration_ms: u64) {
        self.host.sleep(duration_ms).await;
    }

    fn may_oversleep(&self) -> bool {
        self.host.may_oversleep()
    }

    async fn yield_now(&self) {
        self.host.yield_now().await;
    }

    async fn lock(&self, name: &str, timeout_ms: u64) -> Option<Option<SimulatedLock>> {
        match self.locks {
            Locks::OfOrigin => self.host.lock(name, timeout_ms).await.map(Some),
            Locks::Missing => Some(None),
        }
    }

    fn has_locks(&self) -> bool {
        matches!(self.locks, Locks::OfOrigin)
    }

    fn announce(&self, position: Position) {
        self.host.announce(position);
    }

    async fn heard(&self) -> Option<Position> {
        self.host.heard().await
    }

    fn is_alone(&self) -> bool {
        self.host.is_alone()
    }

    async fn supply(&self, supplement: Supplement) -> Result<(), Error> {
        self.host.supply(supplement).await
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.host.spawn(task);
    }

    fn close(&self) {
        self.host.close();
    }
}
