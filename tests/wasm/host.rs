//! What the browser host hears, and does without.

use std::pin::pin;

use everfold::event::Position;
use everfold::host::Host;
use everfold::web::BrowserHost;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sabotage::{overheard, post, waiting_for_lock};
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
