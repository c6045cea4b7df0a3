//! Tabs that use one store at random, in a browser that fails at random, and a model that knows what is right.
//!
//! After every step the log itself is read, beneath the store, and every commit in it is replayed on the model:
//! it must be whole, dense, as it was given, and allowed by the call that it is of. Every answer must have been
//! right at some state of the log between call and answer. Every read must be a prefix of the log.
//!
//! Tabs compact the log meanwhile. Whenever they changed its layout, what is stored is held against the model: each
//! entry stands there once, or is an event that is hidden.
//!
//! In some lives tabs subscribe, and freeze. Every subscriber must be told exactly what is in the log, from its start, in
//! order, once. In others they consume: every event must be handled at least once, in order, and how far a consumer is stored to be
//! never runs ahead of what was handled. In others again they project: documents and indexes must be at every checkpoint what a naive
//! fold of the log makes, and every answer must be of one checkpoint.
//!
//! A life can be put under strain: then tabs compact all the time, die between two operations of it, and what was
//! derived from the log is lost, damaged, or older than it should be. No answer may show any of that.

mod audit;
mod climate;
mod consuming;
mod decay;
mod director;
mod model;
mod model_entry;
mod projected;
mod projecting;
mod questions;
mod reading;
mod requests;
mod stored;
mod strain;
mod subscribing;
mod summary;
mod tab;
mod world;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::storage::Storage;

use super::executor::Executor;
use super::simulated_storage::{SimulatedDatabase, SimulatedStorage, Weather};

use director::Director;
use strain::Straining;
use world::World;

pub use strain::Strain;
pub use summary::Summary;

/// A simulation in which something went wrong.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed that brings it back.
    pub seed: u64,
    /// What was found wrong first.
    pub problem: String,
    /// What happened, with the simulation's time.
    pub trace: Vec<String>,
}

/// What a simulation that went well did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How often things happened.
    pub summary: Summary,
    /// What happened, with the simulation's time.
    pub trace: Vec<String>,
    /// A hash of every choice made: two runs of one seed agree on it.
    pub fingerprint: u64,
}

/// Runs the simulation of one seed on a storage that `wrap` makes of each tab's handle.
pub fn simulate<S: Storage>(
    seed: u64,
    wrap: impl Fn(SimulatedStorage) -> S + 'static,
) -> Result<Report, Failure> {
    simulate_under(Strain::NONE, seed, wrap)
}

/// Runs the simulation of one seed under strain. Without any, it is that of [`simulate`].
pub fn simulate_under<S: Storage>(
    strain: Strain,
    seed: u64,
    wrap: impl Fn(SimulatedStorage) -> S + 'static,
) -> Result<Report, Failure> {
    let executor = Executor::new(seed);
    let scheduler = executor.scheduler();
    let database = SimulatedDatabase::new(&scheduler, Weather::default());
    let world = Rc::new(RefCell::new(World::new(&database, &scheduler)));
    let _black_box = BlackBox { seed, world: Rc::clone(&world) };
    let director = Director::new(&scheduler, &database, &world, Straining::new(strain, seed), wrap);
    if let Err(stuck) = executor.run_until(director.run()) {
        world.borrow_mut().fail(stuck.to_string());
    }
    let fingerprint = executor.fingerprint();
    let mut world = world.borrow_mut();
    let trace = std::mem::take(&mut world.trace);
    match world.failure.take() {
        Some(problem) => Err(Failure { seed, problem, trace }),
        None => Ok(Report { summary: world.summary, trace, fingerprint }),
    }
}

/// Tells the seed and what happened, should an assertion of the store end the simulation.
struct BlackBox {
    seed: u64,
    world: Rc<RefCell<World>>,
}

impl Drop for BlackBox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let trace = self.world.try_borrow().map(|world| world.trace.join("\n"));
            eprintln!("{}\nseed {} ended in a panic", trace.unwrap_or_default(), self.seed);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, problem, trace } = self;
        write!(formatter, "{}\nseed {seed}: {problem}", trace.join("\n"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for Failure {}
