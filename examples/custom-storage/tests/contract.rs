//! The file keeps the contract of everfold's port, and a store on it finds again what was written.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use everfold::event::{EventType, NewEvent, StreamName};
use everfold::log::Expected;
use everfold::storage::Durability;
use everfold::store::{AppendRequest, Bounds, OpenOptions, Store, WriteRequest};
use everfold::testing::executor::Executor;
use everfold::testing::simulated_host::{Announcements, SimulatedOrigin};
use everfold::testing::storage_contract::storage_contract;
use file_storage::{Database, FileStorage};

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn the_file_keeps_the_contract() {
    let folder = Folder::new("contract");
    let databases: RefCell<BTreeMap<String, Rc<Database>>> = RefCell::default();
    let open = async |name: &str| {
        let create = || Database::open(&folder.0.join(name)).expect("a database");
        databases.borrow_mut().entry(name.to_owned()).or_insert_with(create).handle()
    };
    let kept = Executor::new(1).run_until(storage_contract(open)).expect("an end");
    assert!(kept.is_ok(), "{kept:?}");
}

#[test]
fn what_a_store_wrote_is_there_when_the_file_is_read_again() {
    let folder = Folder::new("store");
    let path = folder.0.join("bank");
    for run in 1..=3 {
        let executor = Executor::new(run);
        let announcements = Announcements { lost_permille: 0, delay_ms_max: 0 };
        let origin = SimulatedOrigin::new(&executor.scheduler(), announcements);
        let storage: FileStorage = Database::open(&path).expect("a database").handle();
        let options = OpenOptions { durability: Durability::Strict, bounds: Bounds::DEFAULT };
        executor
            .run_until(async {
                let host = origin.host(origin.tab(), "bank");
                let store = Store::open(storage, host, options, |_| ()).await.expect("a store");
                let events = vec![NewEvent::new(EventType::new("Counted").expect("a type"))];
                let stream = StreamName::new("count-1").expect("a name");
                let write = WriteRequest { stream, expected: Expected::Any, events };
                let request = AppendRequest { writes: vec![write], condition: None, durability: None };
                let appended = store.append(request).1.await.expect("an append");
                assert_eq!(appended.durability, Durability::Strict);
                assert_eq!(store.stats().await.expect("counts").event_count, run);
                store.close().await;
            })
            .expect("an end");
    }
}

#[test]
fn a_file_of_something_else_is_not_opened() {
    let folder = Folder::new("other");
    let path = folder.0.join("notes");
    fs::write(&path, "a list of things to buy").expect("a file");
    assert!(Database::open(&path).is_err());
}
