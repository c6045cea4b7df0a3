//! A snapshot to the byte, and bytes that nobody wrote.

use everfold::event::{Position, Revision};
use everfold::layout::keys::tied;
use everfold::snapshot::{ReducerFingerprint, Snapshot, keys};
use everfold::storage::Key;
use everfold::testing::prng::Prng;

use crate::codec::golden::{bytes_of, check_documented, dump_of};
use crate::layout::hostile::{mutilated, sealed, unpacked};
use crate::one_tab::name;

fn key() -> Key {
    keys::key("account", &name("account-1"))
}

fn snapshot() -> Snapshot {
    Snapshot {
        reducer: ReducerFingerprint(0x0123_4567_89ab_cdef),
        revision: Revision(200),
        position: Position(1_000),
        last_fact: Position(7),
        state: "{\"balance\":12}".to_owned(),
    }
}

#[test]
fn a_snapshot_and_its_key() {
    let bytes = snapshot().to_bytes(&key());
    assert_eq!(dump_of(&bytes), dump_of(&bytes_of(SNAPSHOT)), "it is now:\n{}\n", dump_of(&bytes));
    assert_eq!(Snapshot::from_bytes(&key(), bytes_of(SNAPSHOT)), Ok(snapshot()));
    assert_eq!(key(), Key::Bytes(bytes_of(KEY)));
    check_documented(SNAPSHOT);
    check_documented(KEY);
}

#[test]
fn all_that_a_snapshot_may_hold_comes_back() {
    let mut prng = Prng::new(1);
    for state_bytes in [0, 1, 100, 10_000, 1_000_000] {
        let texts = [
            "x".repeat(state_bytes),
            prng.bytes(state_bytes / 2).iter().map(|it| format!("{it:02x}")).collect(),
        ];
        for state in texts {
            let snapshot = Snapshot { state, last_fact: Position::START, ..snapshot() };
            assert_eq!(Snapshot::from_bytes(&key(), snapshot.to_bytes(&key())), Ok(snapshot));
        }
    }
}

#[test]
fn every_flipped_bit_every_truncation_and_every_other_key_is_found() {
    let long = Snapshot { state: format!("[{}]", "7,".repeat(300)), ..snapshot() };
    for snapshot in [snapshot(), long] {
        let bytes = snapshot.to_bytes(&key());
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Snapshot::from_bytes(&key(), damaged).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(Snapshot::from_bytes(&key(), bytes[..length].to_vec()).is_err(), "{length} bytes");
        }
        for other in [keys::key("account", &name("account-2")), keys::key("accounts", &name("account-1"))] {
            assert!(Snapshot::from_bytes(&other, bytes.clone()).is_err(), "{other:?}");
        }
    }
}

#[test]
fn any_body_with_a_checksum_that_matches_gives_a_snapshot_or_an_error() {
    let mut prng = Prng::new(8);
    let body = unpacked(&tied(&key(), snapshot().to_bytes(&key())));
    let mut read_count = 0;
    for _ in 0..10_000 {
        let body = mutilated(&body, &mut prng);
        if let Ok(snapshot) = Snapshot::from_bytes(&key(), tied(&key(), sealed(b's', &body))) {
            assert!(snapshot.revision.0 < snapshot.position.0);
            read_count += 1;
        }
    }
    assert!((500..9_500).contains(&read_count), "{read_count} were read");
}

const SNAPSHOT: &str = "
45 46 73 01 00 1b ef cd ab 89 67 45 23 01 c8 01
e8 07 07 7b 22 62 61 6c 61 6e 63 65 22 3a 31 32
7d 72 e7 21 2e 0f e7 d8 07
";

const KEY: &str = "
00 9b 61 63 63 6f 75 6e 74 2d 31 00 61 63 63 6f
75 6e 74
";
