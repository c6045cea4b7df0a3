//! everfold: an event store that lives in the browser.
//!
//! An append-only log of domain events over a transactional storage, which in the browser is IndexedDB. This
//! crate is the core of the npm package `everfold`; natively it runs on any [`storage::Storage`] and
//! [`host::Host`], two ports of a few methods each. It names no async runtime and starts no thread: everything
//! runs on the thread that calls it.
//!
//! # Guarantees
//!
//! - **Atomic.** A commit, to one stream or to several, is stored whole or not at all.
//! - **Ordered.** Positions increase along the log, revisions along each stream; a reader never sees a gap,
//!   half a commit or a reordering.
//! - **Judged on the newest facts.** Expectations and append conditions are decided inside the transaction that
//!   writes, so of two writers who race, the slower one is refused and nothing is overwritten.
//! - **Acknowledged late.** [`store::Store::append`] resolves when its transaction is complete, and says how
//!   durable it is ([`storage::Durability`]).
//! - **Safe to repeat.** An append whose events carry ids can be sent again: what stands already is not written
//!   a second time, and the answer is the first one.
//! - **Total.** Stored bytes, arguments and hosts give values or an [`error::Error`] with a stable code, never a
//!   panic. An assertion fails on a bug of this crate alone.
//!
//! Every bound is in [`limits`]. What was appended last is indexed in memory; what was compacted has an index in the
//! storage, of which [`store::Store::open`] reads nothing but its root.
//!
//! # Example
//!
//! A store in memory, on the executor and the host that the tests use. Another host brings the executor of its
//! own platform.
//!
//! ```
//! use everfold::codec::Body;
//! use everfold::error::Error;
//! use everfold::event::{EventType, Json, NewEvent, Revision, StreamName};
//! use everfold::log::Expected;
//! use everfold::storage::memory::MemoryStorage;
//! use everfold::storage::{Direction, Durability};
//! use everfold::store::{AppendRequest, Bounds, OpenOptions, Store, StreamRead, WriteRequest};
//! use everfold::testing::executor::Executor;
//! use everfold::testing::simulated_host::{Announcements, SimulatedOrigin};
//!
//! fn opened_by(owner: &str) -> Result<AppendRequest, Error> {
//!     let data = Json::parse(format!(r#"{{"owner":"{owner}"}}"#))?;
//!     let event = NewEvent { data: Some(data), ..NewEvent::new(EventType::new("AccountOpened")?) };
//!     let stream = StreamName::new("account-1")?;
//!     let write = WriteRequest { stream, expected: Expected::NoStream, events: vec![event] };
//!     Ok(AppendRequest { writes: vec![write], condition: None, durability: None })
//! }
//!
//! let executor = Executor::new(1);
//! let announcements = Announcements { lost_permille: 0, delay_ms_max: 0 };
//! let origin = SimulatedOrigin::new(&executor.scheduler(), announcements);
//! let host = origin.host(origin.tab(), "bank");
//! let options = OpenOptions { durability: Durability::Relaxed, bounds: Bounds::DEFAULT };
//!
//! executor.run_until(async {
//!     let store = Store::open(MemoryStorage::new(), host, options, |_progress| ()).await?;
//!
//!     let (_ticket, appended) = store.append(opened_by("Ada")?);
//!     assert_eq!(appended.await?.durability, Durability::Memory);
//!
//!     // The stream is there now, so a second writer who believes that it is not is refused.
//!     let (_ticket, refused) = store.append(opened_by("Grace")?);
//!     let error = refused.await.unwrap_err();
//!     assert_eq!(error.code(), "WRONG_EXPECTED_REVISION");
//!     assert_eq!(error.to_string(), r#"stream "account-1": expected no stream, found revision 0"#);
//!
//!     let read = StreamRead {
//!         stream: StreamName::new("account-1")?,
//!         from: Revision::FIRST,
//!         before: None,
//!         direction: Direction::Forwards,
//!         limit: None,
//!         as_of: None,
//!     };
//!     let page = store.read_stream(&read).await?;
//!     let data: Vec<_> = page
//!         .entries()
//!         .filter_map(|entry| match entry.body {
//!             Body::Event { data, .. } => data,
//!             Body::Fact(_) => None,
//!         })
//!         .collect();
//!     assert_eq!(data, [r#"{"owner":"Ada"}"#]);
//!     assert_eq!(page.next, None);
//!
//!     store.close().await;
//!     Ok::<(), Error>(())
//! })??;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `testing`: the contract suites of both ports, a simulated browser (tabs, clock, locks, a shared database
//!   and its accidents), a storage that fails on command, and a seeded generator. For tests; never in the
//!   shipped wasm.
//!
//! # Where to read on
//!
//! ARCHITECTURE.md is the map of the source, FORMAT.md what is stored, to the byte.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod aggregate;
mod answer;
pub mod codec;
pub mod consumer;
pub mod documents;
pub mod error;
pub mod event;
pub mod expected;
pub mod host;
pub mod id;
pub mod index;
mod json;
pub mod layout;
pub mod limits;
pub mod log;
pub mod position;
pub mod projection;
pub mod query;
pub mod reducer;
pub mod snapshot;
mod sort;
pub mod storage;
pub mod store;
pub mod subscription;
pub mod supplement;
mod table;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod web;
