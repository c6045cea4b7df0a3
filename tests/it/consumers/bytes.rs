//! The bytes of FORMAT.md.

use everfold::consumer::{Led, Parked, Standing, keys};
use everfold::event::{Position, UnixMillis};
use everfold::id::EventId;
use everfold::storage::{Area, Key, Request};
use everfold::testing::simulated_storage::SimulatedDatabase;

const STANDING: Standing = Standing {
    position: Position(1_000),
    token: 0x0123_4567_89ab,
    led: Led::WithLock,
    write_count: 12,
    attempts: 2,
    rest_looks: 3,
    query: 0x0123_4567_89ab_cdef,
};

fn parked() -> Parked {
    Parked {
        stream: "order-1".into(),
        from: Position(998),
        event: EventId::from_bytes(*b"\x01\x90\xa5\xc4\x7b\x1e\x7c\xc3\x9d\x2f\x3f\x6a\x1c\x2b\x4d\x5e"),
        attempts: 3,
        time: UnixMillis(1_784_764_800_000),
        is_wanted: false,
        reason: "no".into(),
    }
}

/// What is stored of a consumer, beneath the store.
pub fn stored(database: &SimulatedDatabase, name: &str) -> Option<Vec<u8>> {
    let request = Request { keys: vec![(Area::Consumers, keys::standing(name))], ..Request::default() };
    database.look(&request).ok()?.values.pop()?
}

fn hex(bytes: &[u8]) -> String {
    let lines: Vec<String> = bytes
        .chunks(16)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "))
        .collect();
    lines.join("\n")
}

/// The key and the record stand in FORMAT.md.
#[track_caller]
fn check(key: &Key, bytes: &[u8]) {
    let Key::Bytes(key) = key else { panic!("keys of consumers are bytes") };
    let format = include_str!("../../../FORMAT.md");
    for bytes in [key, bytes] {
        let block = format!("```\n{}\n```", hex(bytes));
        assert!(format.contains(&block), "FORMAT.md does not have\n{block}");
    }
}

#[test]
fn a_standing_is_as_format_md_says() {
    let key = keys::standing("mails");
    check(&key, &STANDING.to_bytes(&key));
    assert_eq!(Standing::from_bytes(&key, STANDING.to_bytes(&key)), Ok(STANDING));
    for led in [Led::No, Led::WithoutLock] {
        let standing = Standing { led, ..STANDING };
        assert_eq!(Standing::from_bytes(&key, standing.to_bytes(&key)), Ok(standing));
    }
}

#[test]
fn a_parked_stream_is_as_format_md_says() {
    let key = keys::parked("mails", "order-1");
    check(&key, &parked().to_bytes(&key));
    for is_wanted in [false, true] {
        let parked = Parked { is_wanted, ..parked() };
        assert_eq!(Parked::from_bytes("order-1", &key, parked.to_bytes(&key)), Ok(parked));
    }
}

#[test]
fn records_that_are_damaged_or_stand_under_another_key_are_found() {
    let (key, parked_key) = (keys::standing("mails"), keys::parked("mails", "order-1"));
    let records = [(&key, STANDING.to_bytes(&key)), (&parked_key, parked().to_bytes(&parked_key))];
    for (key, bytes) in records {
        let is_read = |key: &Key, bytes: Vec<u8>| {
            Standing::from_bytes(key, bytes.clone()).is_ok()
                || Parked::from_bytes("order-1", key, bytes).is_ok()
        };
        assert!(is_read(key, bytes.clone()));
        assert!(!is_read(&keys::standing("mail"), bytes.clone()));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_read(key, damaged), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(!is_read(key, bytes[..length].to_vec()), "{length} bytes");
        }
    }
}

#[test]
fn keys_say_of_what_they_are() {
    let key = keys::parked("mails", "order-1");
    assert_eq!(keys::stream_of("mails", &key), Some("order-1"));
    assert_eq!(keys::stream_of("mail", &key), None);
    assert_eq!(keys::stream_of("mailsorder-", &keys::parked("mails", "order-1")), None);
    assert_eq!(keys::name_of(&keys::standing("mails")), Some("mails"));
    assert_eq!(keys::name_of(&key), None);
    let range = keys::parked_of("mails");
    let is_within = |key: &Key| range.from.as_ref() <= Some(key) && Some(key) <= range.to.as_ref();
    assert!(is_within(&key));
    assert!(!is_within(&keys::parked("mail", "s")) && !is_within(&keys::parked("mailz", "s")));
}
