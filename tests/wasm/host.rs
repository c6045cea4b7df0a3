//! What the browser host hears, and does without.

use std::pin::pin;

use everfold::event::Position;
use everfold::host::Host;
use everfold::web::BrowserHost;
use futures_util::future::{Either, select};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sabotage::{happen, overheard, post, waiting_for_lock};
use super::unused_name;

/// What is heard within a while.
async fn heard(host: &BrowserHost) -> Option<Position> {
    match select(pin!(host.heard()), pin!(host.sleep(200))).await {
        Either::Left((heard, _)) => heard,
        Either::Right(_) => None,
    }
}

#[wasm_bindgen_test]
async fn only_what_could_be_a_position_is_heard() {
    let name = unused_name("strange");
    let host = BrowserHost::new(&name).unwrap();
    let channel = format!("everfold:{name}");
    for message in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e300, 9_007_199_254_740_992.0] {
        post(&channel, &JsValue::from_f64(message));
    }
    for message in
        [JsValue::NULL, JsValue::from_str("7"), JsValue::TRUE, js_sys::Array::of1(&7.into()).into()]
    {
        post(&channel, &message);
    }
    assert_eq!(heard(&host).await, None);
    post(&channel, &JsValue::from_f64(7.0));
    assert_eq!(heard(&host).await, Some(Position(7)));
}

#[wasm_bindgen_test]
async fn of_several_announcements_the_newest_is_heard() {
    let name = unused_name("newest");
    let (host, other) = (BrowserHost::new(&name).unwrap(), BrowserHost::new(&name).unwrap());
    for position in 1..=100 {
        other.announce(Position(position));
    }
    host.sleep(200).await;
    assert_eq!(heard(&host).await, Some(Position(100)));
    assert_eq!(heard(&host).await, None);
}

/// Announces 1, 2 and 3, does something between the last two, and gives all announcements that were made.
async fn made_announcements(between: impl FnOnce(&BrowserHost)) -> Vec<f64> {
    let name = unused_name("counted");
    let messages = overheard(&format!("everfold:{name}"));
    let host = BrowserHost::new(&name).unwrap();
    host.announce(Position(1));
    host.announce(Position(2));
    between(&host);
    host.announce(Position(3));
    host.sleep(200).await;
    messages.iter().map(|message| message.as_f64().unwrap()).collect()
}

#[wasm_bindgen_test]
async fn announcements_in_a_row_are_made_once_a_pause() {
    assert_eq!(made_announcements(|_| ()).await, [1.0, 3.0]);

    let name = unused_name("counted");
    let messages = overheard(&format!("everfold:{name}"));
    let host = BrowserHost::new(&name).unwrap();
    let start = host.now().0;
    let mut position = 0;
    while host.now().0 < start + 400 {
        position += 1;
        host.announce(Position(position));
        host.yield_now().await;
    }
    host.sleep(200).await;
    // One every 50 ms, the first at once, and the last after the end.
    assert!((2..=10).contains(&messages.length()), "{} announcements", messages.length());
    assert_eq!(messages.at(-1).as_f64(), Some(position as f64));
}

#[wasm_bindgen_test]
async fn an_announcement_after_the_pause_waits_for_no_timer() {
    let after_a_pause = |host: &BrowserHost| {
        let start = host.now().0;
        // No timer comes meanwhile.
        while host.now().0 < start + 60 {}
        host.announce(Position(9));
    };
    // What the newer announcement says, the older one need not say any more.
    assert_eq!(made_announcements(after_a_pause).await, [1.0, 9.0, 3.0]);
}

#[wasm_bindgen_test]
async fn what_is_unsaid_when_a_page_is_left_is_said_at_once() {
    for event in ["freeze", "pagehide"] {
        assert_eq!(made_announcements(|_| happen(event)).await, [1.0, 2.0, 3.0], "{event}");
    }
    let closed = made_announcements(|host| {
        host.close();
        happen("pagehide");
    });
    assert_eq!(closed.await, [1.0, 2.0], "a host that is closed says nothing any more");
}

#[wasm_bindgen_test]
async fn what_was_announced_before_the_close_is_heard() {
    let name = unused_name("last");
    let (host, other) = (BrowserHost::new(&name).unwrap(), BrowserHost::new(&name).unwrap());
    for position in 1..=3 {
        other.announce(Position(position));
    }
    other.close();
    host.sleep(200).await;
    assert_eq!(heard(&host).await, Some(Position(3)));
}

#[wasm_bindgen_test]
async fn a_host_alone_hears_nothing_until_it_is_closed() {
    let host = BrowserHost::alone().unwrap();
    host.announce(Position(1));
    assert_eq!(heard(&host).await, None);
    host.close();
    assert_eq!(host.heard().await, None);
}

#[wasm_bindgen_test]
async fn a_lock_that_timed_out_is_no_longer_asked_for() {
    let name = unused_name("withdrawn");
    let host = BrowserHost::alone().unwrap();
    let lock = host.lock(&name, 1_000).await;
    assert!(lock.is_some() && host.lock(&name, 10).await.is_none());
    host.sleep(50).await;
    assert_eq!(waiting_for_lock(&format!("everfold:{name}")).await.unwrap().as_f64(), Some(0.0));
}

#[wasm_bindgen_test]
async fn any_number_of_random_bytes_is_filled() {
    let host = BrowserHost::alone().unwrap();
    let mut bytes = vec![0; 200_000];
    host.random(&mut bytes);
    for chunk in bytes.chunks(1_000) {
        assert!(chunk.iter().any(|byte| *byte != 0), "a part was not filled");
    }
}
