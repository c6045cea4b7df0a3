//! Every point at which a storage can fail while a build is begun, claimed, carried on and asked.

use std::cell::Cell;
use std::rc::Rc;

use everfold::error::Error;
use everfold::event::Position;
use everfold::host::Host;
use everfold::storage::Storage;
use everfold::store::{Begin, Ready, Store, Turn};
use everfold::testing::faulty_storage::{Fault, Target};
use everfold::testing::prng::Prng;

use crate::one_tab::in_browser;

use super::{Event, advance, check_answers, events, fold_all, naive, projection};

/// Makes one version, then another beside it, and asks. Ends with the first failure.
async fn session<S: Storage, H: Host>(store: &Store<S, H>, events: &[Event]) -> Result<(), Error> {
    for version in [1, 2] {
        let orders = projection(version, 7);
        store.project(&orders, Begin::IfNew).await?;
        let Some(claim) = store.claim(&orders).await? else { continue };
        let mut from = claim.position;
        while from.0 < 100 {
            let to = Position(from.0 + 40).min(Position(100));
            let ready = if to.0 == 100 { Ready::Now } else { Ready::NotYet };
            assert_eq!(advance(store, &orders, events, claim.token, (from, to), ready).await?, Turn::Done);
            from = to;
            let all = everfold::projection::range::EntryRange::within(
                &[],
                &[],
                None,
                everfold::storage::Direction::Forwards,
            );
            store.find_documents(&super::find(Some(super::BY_GROUP), all, 10)).await?;
        }
    }
    Ok(())
}

/// A session with a fault after so many operations. `false` where there are not so many.
fn strike(fault: Fault, spared: u64) -> bool {
    let place = format!("{fault:?} after {spared}");
    let is_struck = Rc::new(Cell::new(false));
    let seen = Rc::clone(&is_struck);
    in_browser(|browser| async move {
        let events = events(&mut Prng::new(5), 100);
        let store = browser.open().await;
        browser.faults.arm(Target::Every, spared, fault);
        let ended = session(&store, &events).await;
        seen.set(browser.faults.struck() == 1);
        browser.faults.disarm();
        if let Err(error) = ended {
            assert!(["STORAGE_FAILED", "QUOTA_EXCEEDED"].contains(&error.code()), "{place}: {error}");
        }
        // Whatever it was, the documents are those of the checkpoint, and the work goes on from there.
        let newest = projection(2, 7);
        for store in [&store, &browser.open().await] {
            let standing = store.standing(&newest, None).await.unwrap();
            if let Some(position) = standing.answering {
                check_answers(store, &naive(&events, position), &mut Prng::new(6)).await;
            }
        }
        session(&store, &events).await.unwrap();
        fold_all(&store, &newest, &events, 50).await;
        for store in [&store, &browser.open().await] {
            check_answers(store, &naive(&events, Position(100)), &mut Prng::new(7)).await;
        }
    });
    is_struck.get()
}

#[test]
fn whatever_fails_wherever_it_fails_each_event_is_in_the_documents_once() {
    for fault in Fault::ALL {
        let point_count = (0..200).take_while(|spared| strike(fault, *spared)).count();
        assert!((8..150).contains(&point_count), "{fault:?} met {point_count} operations");
    }
}
