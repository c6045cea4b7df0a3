//! The bytes of FORMAT.md.

use std::rc::Rc;

use everfold::event::Position;
use everfold::projection::index_key::{self, IndexValue};
use everfold::projection::model::Changed;
use everfold::projection::{Build, BuildId, Definition, Index, Model, Page, Token, Tree, keys};
use everfold::storage::Key;

const BUILD: BuildId = BuildId(*b"\x01\x23\x45\x67\x89\xab\xcd\xef");

fn hex(bytes: &[u8]) -> String {
    let lines: Vec<String> = bytes
        .chunks(16)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "))
        .collect();
    lines.join("\n")
}

/// All of these bytes stand in FORMAT.md.
#[track_caller]
fn check(examples: &[&[u8]]) {
    let format = include_str!("../../../FORMAT.md");
    let blocks = examples.iter().map(|bytes| format!("```\n{}\n```", hex(bytes)));
    let missing: Vec<String> = blocks.filter(|block| !format.contains(block)).collect();
    assert!(missing.is_empty(), "FORMAT.md does not have\n{}", missing.join("\n"));
}

fn bytes_of(key: &Key) -> &[u8] {
    match key {
        Key::Bytes(bytes) => bytes,
        Key::Position(_) => &[],
    }
}

#[test]
fn a_page_is_as_format_md_says() {
    let key = keys::page(BUILD, Tree::DOCUMENTS, b"order-1");
    let mut page = Page::default();
    page.push(b"order-1", b"{\"status\":\"open\"}");
    page.push(b"order-12", b"{}");
    check(&[bytes_of(&key), &page.to_bytes(&key)]);
}

#[test]
fn an_entry_of_an_index_is_as_format_md_says() {
    let mut entry = Vec::new();
    for value in [IndexValue::Text("a\0b"), IndexValue::Number(-1.5), IndexValue::Boolean(true)] {
        index_key::push(&mut entry, value);
    }
    entry.extend(b"order-1");
    check(&[&entry]);
}

#[test]
fn a_model_is_as_format_md_says() {
    let definition = Definition {
        version: 3,
        fingerprint: 0x0123_4567_89ab_cdef,
        indexes: vec![Index { text: Rc::from("[\"byStatus\",[\"status\"],false]"), value_count: 1 }],
    };
    let changed = Changed { after: Position(990), keys: vec![(Position(1_000), Rc::from("order-1"))] };
    let build = Build {
        id: BUILD,
        definition,
        token: Token([0xaa; 8]),
        position: Position(1_000),
        write_count: 12,
        document_count: 300,
        changed,
    };
    let model = Model { answering: Some(build), coming: None, doomed: vec![BuildId([0xbb; 8])] };
    let key = keys::model("orders");
    let bytes = model.to_bytes(&key);
    check(&[bytes_of(&key), &bytes]);
    assert_eq!(Model::from_bytes(&key, bytes.clone()).as_ref(), Ok(&model));
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Model::from_bytes(&key, damaged).is_err(), "bit {bit}");
    }
}
