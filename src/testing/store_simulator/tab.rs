//! A tab of a simulation: its store, and what may happen to it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::event::Position;
use crate::storage::{Durability, Storage};
use crate::store::{Bounds, OpenOptions, Store};
use crate::testing::executor::Scheduler;
use crate::testing::simulated_host::{SimulatedHost, SimulatedOrigin};
use crate::testing::simulated_storage::SimulatedStorage;

use super::world::World;

/// A tab with its store, once that is open.
pub struct Tab<S: Storage> {
    pub host: SimulatedHost,
    pub storage: SimulatedStorage,
    pub store: Rc<RefCell<Option<Store<S, SimulatedHost>>>>,
    pub is_closing: Rc<Cell<bool>>,
    /// Whether it died before one of its operations.
    pub is_dead: Rc<Cell<bool>>,
    /// The furthest position that it was seen at.
    pub position: Position,
}

impl<S: Storage> Tab<S> {
    pub fn new(host: SimulatedHost, storage: SimulatedStorage) -> Self {
        Self {
            host,
            storage,
            store: Rc::default(),
            is_closing: Rc::default(),
            is_dead: Rc::default(),
            position: Position::START,
        }
    }

    /// Opens its store, however often that has to be tried.
    pub fn open_store(
        &self,
        scheduler: &Scheduler,
        world: &Rc<RefCell<World>>,
        wrap: &Rc<impl Fn(SimulatedStorage) -> S + 'static>,
        bounds: Bounds,
    ) {
        let Self { host, storage, store, .. } = self;
        let (host, storage, slot) = (host.clone(), storage.clone(), Rc::clone(store));
        let (sleeper, world, wrap) = (scheduler.clone(), Rc::clone(world), Rc::clone(wrap));
        scheduler.spawn(host.tab(), async move {
            loop {
                let options = OpenOptions { durability: Durability::Relaxed, bounds };
                match Store::open(wrap(storage.clone()), host.clone(), options, |_| ()).await {
                    Ok(store) => return *slot.borrow_mut() = Some(store),
                    Err(error) => world.borrow_mut().read_failed("to open", &error, false),
                }
                sleeper.sleep(20).await;
            }
        });
    }

    /// Has it die before an operation on the storage, after so many others.
    pub fn light_fuse(&self, origin: &SimulatedOrigin, world: &Rc<RefCell<World>>, spared: u64) {
        let (tab, is_dead) = (self.host.tab(), Rc::clone(&self.is_dead));
        let (origin, world) = (origin.clone(), Rc::clone(world));
        self.storage.light_fuse(spared, move || {
            world.borrow_mut().note(format!("{tab:?} dies"));
            origin.crash(tab);
            let mut world = world.borrow_mut();
            world.crashed(tab);
            world.summary.cut_off += 1;
            is_dead.set(true);
        });
    }
}
