//! Records of consumers that cannot be read: that is told, and a consumer that is removed or reset is whole again.

use everfold::consumer::keys;
use everfold::event::Position;
use everfold::storage::{Area, Key};
use everfold::store::{ConsumerChange, Report};

use super::{Locks, Tabs, add, in_tabs, next, request};

/// Damages what is stored under a key, and gives what the consumer says, before and after it is changed.
fn damaged(key: Key, change: ConsumerChange) -> Vec<Result<Vec<u64>, String>> {
    in_tabs(1, Locks::Some, async |tabs: Tabs| {
        let (_, store) = tabs.open().await;
        for stream in ["a", "b"] {
            add(&store, stream, "A").await;
        }
        let mut consumer = store.consumer(request("mails"));
        let mut said = vec![next(&mut consumer).await];
        let parked = Report::Parked { attempts: 1, reason: "no".into() };
        consumer.report(&parked).await.expect("it is parked");
        said.push(next(&mut consumer).await);
        let control = consumer.control();
        control.stop();
        said.push(next(&mut consumer).await);
        tabs.database.replace(Area::Consumers, key, Some(vec![7; 30]));
        said.push(next(&mut store.consumer(request("mails"))).await);
        match store.change_consumer("mails", &change).await {
            Ok(_) => said.push(next(&mut store.consumer(request("mails"))).await),
            Err(error) => said.push(Err(error.code().to_owned())),
        }
        said
    })
}

#[track_caller]
fn check(key: Key, change: ConsumerChange, last: Result<Vec<u64>, &str>) {
    let said = damaged(key, change);
    let ended = Err("ended".to_owned());
    let corrupt = Err("CORRUPT_DATA".to_owned());
    assert_eq!(said[..4], [Ok(vec![1]), Ok(vec![2]), ended, corrupt]);
    assert_eq!(said[4], last.map_err(str::to_owned));
}

#[test]
fn what_cannot_be_read_is_told_and_can_be_removed() {
    for key in [keys::standing("mails"), keys::parked("mails", "a")] {
        check(key, ConsumerChange::Remove, Ok(vec![1]));
    }
}

#[test]
fn a_reset_does_away_with_what_is_parked_and_cannot_be_read() {
    check(keys::parked("mails", "a"), ConsumerChange::Reset { after: Position(1) }, Ok(vec![2]));
    check(keys::standing("mails"), ConsumerChange::Reset { after: Position(1) }, Err("CORRUPT_DATA"));
}
