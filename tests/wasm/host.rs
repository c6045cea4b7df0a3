//! What the browser host hears, and does without.

use std::pin::pin;

use everfold::event::Position;
use everfold::host::Host;
use everfold::web::BrowserHost;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sabotage::{happen, overheard, post, waiting_for_lock};
use super::unused_name;

/// Waits until something holds, and gives up when it is late.
async fn until(holds: impl AsyncFn() -> bool) {
    let host = BrowserHost::alone().unwrap();
    let start = host.now().0;
    while !holds().await {
        assert!(host.now().0 < start + 10_000, "it does not come to hold");
        host.sleep(5).await;
    }
}

/// The next position that is heard, which comes in time.
async fn heard(host: &BrowserHost) -> Option<Position> {
    match select(pin!(host.heard()), pin!(host.sleep(10_000))).await {
        Either::Left((heard, _)) => heard,
        Either::Right(_) => panic!("nothing is heard"),
    }
}

#[wasm_bindgen_test]
async fn only_what_could_be_a_position_is_heard() {
    let name = unused_name("strange");
    let host = BrowserHost::new(&name).unwrap();
    let channel = format!("everfold:{name}");
    let numbers = [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e300, 9_007_199_254_740_992.0];
    let others = [JsValue::NULL, JsValue::from_str("7"), JsValue::TRUE, js_sys::Array::of1(&7.into()).into()];
    for (message, position) in numbers.map(JsValue::from_f64).into_iter().chain(others).zip(7_u32..) {
        post(&channel, &message);
        // Were the message heard, it would be before this one.
        post(&channel, &JsValue::from_f64(f64::from(position)));
        assert_eq!(heard(&host).await, Some(Position(position.into())), "{message:?}");
    }
}

#[wasm_bindgen_test]
async fn of_several_announcements_the_newest_is_heard() {
    let name = unused_name("newest");
    let (host, other) = (BrowserHost::new(&name).unwrap(), BrowserHost::new(&name).unwrap());
    // What is overheard here has come to the host, whose channel is older.
    let messages = overheard(&format!("everfold:{name}"));
    for position in 1..=100 {
        other.announce(Position(position));
    }
    until(async || messages.at(-1).as_f64() == Some(100.0)).await;
    assert_eq!(heard(&host).await, Some(Position(100)));
    other.announce(Position(101));
    assert_eq!(heard(&host).await, Some(Position(101)), "what is older is heard later");
}

/// Announces 1, 2 and 3, does something between the last two, and looks at all announcements that are made.
async fn check_announced(between: impl FnOnce(&BrowserHost), expected: &[f64], place: &str) {
    let name = unused_name("counted");
    let messages = overheard(&format!("everfold:{name}"));
    let host = BrowserHost::new(&name).unwrap();
    host.announce(Position(1));
    host.announce(Position(2));
    between(&host);
    host.announce(Position(3));
    // The second of these comes after a pause, which began later than that of the host.
    let later = BrowserHost::new(&name).unwrap();
    later.announce(Position(98));
    later.announce(Position(99));
    let announced = || -> Vec<f64> { messages.iter().map(|message| message.as_f64().unwrap()).collect() };
    let is_later = |position: &f64| 98.0 <= *position;
    until(async || announced().contains(&99.0) && expected.len() + 2 <= announced().len()).await;
    let mut of_host = announced();
    of_host.retain(|position| !is_later(position));
    assert_eq!(of_host, expected, "{place}");
}

#[wasm_bindgen_test]
async fn announcements_in_a_row_are_made_once_a_pause() {
    check_announced(|_| (), &[1.0, 3.0], "in a row").await;

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
    until(async || messages.at(-1).as_f64() == Some(position as f64)).await;
    // One every 50 ms, the first at once, and the last after the end.
    assert!((2..=10).contains(&messages.length()), "{} announcements", messages.length());
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
    check_announced(after_a_pause, &[1.0, 9.0, 3.0], "after a pause").await;
}

#[wasm_bindgen_test]
async fn what_is_unsaid_when_a_page_is_left_is_said_at_once() {
    for event in ["freeze", "pagehide"] {
        check_announced(|_| happen(event), &[1.0, 2.0, 3.0], event).await;
    }
    let closed = |host: &BrowserHost| {
        host.close();
        happen("pagehide");
    };
    check_announced(closed, &[1.0, 2.0], "a host that is closed says nothing any more").await;
}

#[wasm_bindgen_test]
async fn what_was_announced_before_the_close_is_heard() {
    let name = unused_name("last");
    let (host, other) = (BrowserHost::new(&name).unwrap(), BrowserHost::new(&name).unwrap());
    for position in 1..=3 {
        other.announce(Position(position));
    }
    other.close();
    while heard(&host).await != Some(Position(3)) {}
}

#[wasm_bindgen_test]
async fn a_host_alone_hears_nothing_until_it_is_closed() {
    let host = BrowserHost::alone().unwrap();
    host.announce(Position(1));
    assert_eq!(host.heard().now_or_never(), None, "it hears itself");
    host.close();
    assert_eq!(host.heard().await, None);
}

#[wasm_bindgen_test]
async fn a_lock_that_timed_out_is_no_longer_asked_for() {
    let name = unused_name("withdrawn");
    let host = BrowserHost::alone().unwrap();
    let lock = host.lock(&name, 1_000).await;
    assert!(lock.is_some() && host.lock(&name, 10).await.is_none());
    let asked = format!("everfold:{name}");
    until(async || waiting_for_lock(&asked).await.unwrap().as_f64() == Some(0.0)).await;
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
