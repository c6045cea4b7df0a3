//! Small modules, cut.

use std::borrow::Cow;

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, ExportKind, ExportSection, Function,
    FunctionSection, Instruction, MemorySection, MemoryType, NameMap, NameSection, RefType, TableSection,
    TableType, TypeSection,
};

use super::links::Datum;
use super::*;

/// The functions, by their numbers, with what each calls. All take nothing and give nothing.
const FUNCTIONS: [(&str, &[u32]); 12] = [
    ("open", &[1, 5]),
    ("everfold::gate_compaction_due", &[5, 6]),
    ("everfold::gate_inquiries_call", &[6]),
    ("everfold::gate_folding_call", &[]),
    ("everfold::gate_projections_call", &[]),
    ("of_all", &[]),
    ("of_two", &[]),
    ("polled", &[8]),
    ("everfold::store::compact::runs::merge", &[]),
    ("polled_first", &[]),
    ("everfold::gate_memory_storage", &[]),
    ("everfold::gate_consumers_call", &[]),
];
/// What is called by its slot: of a future of the compaction, and of another.
const SLOTS: [(u32, u32); 2] = [(1, 7), (2, 9)];
/// What is exported.
const OPEN: u32 = 0;

/// Constants at the beginning of the memory: of the first module, of the compaction, of nobody that is known.
const DATA: &[u8] = b"firstcompactedunknown";

fn module() -> Vec<u8> {
    module_with(DATA)
}

fn module_with(bytes: &[u8]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut functions, mut code, mut names) = (FunctionSection::new(), CodeSection::new(), NameMap::new());
    for ((name, calls), number) in FUNCTIONS.iter().zip(0..) {
        functions.function(0);
        let mut body = Function::new([]);
        for call in *calls {
            body.instruction(&Instruction::Call(*call));
        }
        body.instruction(&Instruction::End);
        code.function(&body);
        names.append(number, name);
    }
    let (minimum, maximum) = (3, Some(3));
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum,
        maximum,
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("open", ExportKind::Func, OPEN).export("memory", ExportKind::Memory, 0);
    let mut elements = ElementSection::new();
    let slots: Vec<u32> = SLOTS.iter().map(|(_, function)| *function).collect();
    elements.active(None, &ConstExpr::i32_const(1), Elements::Functions(Cow::Owned(slots)));
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), bytes.iter().copied());
    let mut naming = NameSection::new();
    naming.functions(&names);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&functions).section(&tables).section(&memories).section(&exports);
    module.section(&elements).section(&code).section(&data).section(&naming);
    module.finish()
}

/// What the linker says of it: besides the calls, who knows a slot, and who knows data.
fn links(known: &[(Node, Node)]) -> Links {
    let mut links = Links {
        names: FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        data: [0..5, 5..14].map(|bytes| Datum { bytes, is_constant: true }).into(),
        slots: SLOTS.into(),
        exports: vec![OPEN],
        edges: HashMap::new(),
    };
    let calls = FUNCTIONS.iter().zip(0..).flat_map(|((_, calls), number)| {
        calls.iter().map(move |call| (Node::Function(number), Node::Function(*call)))
    });
    let slots = SLOTS.map(|(_, function)| (Node::Slot(function), Node::Function(function)));
    for (from, to) in calls.chain(slots).chain(known.iter().copied()) {
        links.edges.entry(from).or_default().push(to);
    }
    links
}

const KNOWN: [(Node, Node); 4] = [
    (Node::Function(0), Node::Datum(0)),
    (Node::Function(0), Node::Slot(9)),
    (Node::Function(1), Node::Datum(1)),
    (Node::Datum(1), Node::Slot(7)),
];

fn cut_by(known: &[(Node, Node)]) -> Result<Parts> {
    cut(&links(known), &Module::read(&module())?)
}

#[track_caller]
fn check(part: &[u8], functions: usize, slots: &[u32], data: &[(u32, &str)]) {
    let part = Part::read(part);
    assert_eq!(part.functions, functions, "functions");
    assert_eq!(part.slots, slots, "slots");
    let texts: Vec<(u32, &str)> = part.data.iter().map(|(at, text)| (*at, text.as_str())).collect();
    assert_eq!(texts, data, "data");
}

/// What a part holds.
struct Part {
    functions: usize,
    slots: Vec<u32>,
    data: Vec<(u32, String)>,
}

impl Part {
    fn read(bytes: &[u8]) -> Self {
        let mut part = Self { functions: 0, slots: Vec::new(), data: Vec::new() };
        for payload in wasmparser::Parser::new(0).parse_all(bytes) {
            match payload.expect("a part is a module") {
                wasmparser::Payload::CodeSectionStart { count, .. } => part.functions = count as usize,
                wasmparser::Payload::ElementSection(elements) => {
                    for element in elements {
                        let element = element.expect("a segment");
                        let wasmparser::ElementKind::Active { offset_expr, .. } = element.kind else {
                            continue;
                        };
                        let first = links::constant(offset_expr.get_binary_reader()).expect("a slot");
                        let wasmparser::ElementItems::Functions(items) = element.items else { continue };
                        part.slots.extend(first..first + items.count());
                    }
                }
                wasmparser::Payload::DataSection(segments) => {
                    for segment in segments {
                        let segment = segment.expect("a segment");
                        let wasmparser::DataKind::Active { offset_expr, .. } = segment.kind else { continue };
                        let at = links::constant(offset_expr.get_binary_reader()).expect("an address");
                        part.data.push((at, String::from_utf8_lossy(segment.data).into_owned()));
                    }
                }
                _ => {}
            }
        }
        part
    }
}

#[test]
fn a_supplement_has_what_its_gates_alone_reach_and_what_two_need_stands_in_both() {
    let Parts { first, supplements, .. } = cut_by(&KNOWN).expect("it can be cut");
    // `open`, `of_all` and `polled_first`, whose slot is known; and a slot by which `of_all` is found.
    check(&first, 3, &[2, 3], &[(0, "first"), (14, "unknown")]);
    // The gate, `of_two`, what is polled and what that calls.
    check(&supplements[0], 4, &[1, 4], &[(5, "compacted")]);
    check(&supplements[1], 2, &[5], &[]);
    check(&supplements[2], 1, &[6], &[]);
    check(&supplements[3], 1, &[7], &[]);
    check(&supplements[4], 1, &[8], &[]);
    check(&supplements[5], 1, &[9], &[]);
}

/// The names by which a part offers what it has, and those by which it wants what another one has.
fn names_of(part: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut offered, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    for payload in wasmparser::Parser::new(0).parse_all(part) {
        match payload.expect("a part is a module") {
            wasmparser::Payload::ExportSection(exports) => {
                offered.extend(exports.into_iter().map(|export| export.expect("an export").name.to_owned()));
            }
            wasmparser::Payload::ImportSection(imports) => {
                let imports = imports.into_imports().map(|import| import.expect("an import"));
                wanted.extend(
                    imports.filter(|import| import.module == "b").map(|import| import.name.to_owned()),
                );
            }
            _ => {}
        }
    }
    (offered, wanted)
}

#[test]
fn parts_link_with_those_of_their_own_build_and_with_no_others() {
    let cut_with = |bytes: &[u8]| {
        cut(&links(&KNOWN), &Module::read(&module_with(bytes)).expect("a module")).expect("it can be cut")
    };
    let (one, same, other) = (cut_with(DATA), cut_with(DATA), cut_with(b"firstcompactedunknowm"));
    assert_eq!((&one.build, &one.first), (&same.build, &same.first));
    let (offered, _) = names_of(&one.first);
    assert!(offered.contains(&one.build));
    for (own, foreign) in one.supplements.iter().zip(&other.supplements) {
        let missing = |part: &[u8]| names_of(part).1.difference(&offered).count();
        assert_eq!((missing(own), missing(foreign)), (0, 1));
    }
}

#[test]
fn data_that_changes_is_written_by_the_first_module_alone() {
    let mut links = links(&KNOWN);
    links.data[1].is_constant = false;
    let Parts { first, supplements, .. } =
        cut(&links, &Module::read(&module()).expect("a module")).expect("it can be cut");
    check(&first, 3, &[2, 3], &[(0, "firstcompactedunknown")]);
    check(&supplements[0], 4, &[1, 4], &[]);
}

#[test]
fn what_a_supplement_owns_is_not_reached_without_its_gate() {
    let leak = (Node::Function(0), Node::Slot(7));
    let refused = cut_by(&[&KNOWN[..], &[leak]].concat()).err().expect("it was cut").to_string();
    assert!(refused.contains("runs::merge belongs to compaction"), "{refused}");
    assert!(refused.contains("by the slot of polled\n  by open"), "{refused}");
}

#[test]
fn a_gate_that_can_be_entered_from_outside_is_refused() {
    let mut links = links(&KNOWN);
    links.slots.insert(2, 1);
    links.edges.insert(Node::Slot(1), Vec::new());
    let module = module();
    let mut whole = Module::read(&module).expect("a module");
    whole.slots.insert(2, 1);
    links.edges.entry(Node::Function(0)).or_default().push(Node::Slot(1));
    let refused = cut(&links, &whole).err().expect("it was cut").to_string();
    assert!(refused.contains("can be entered from outside"), "{refused}");
}

#[test]
fn a_table_that_is_not_the_linkers_is_refused() {
    let module = module();
    let mut whole = Module::read(&module).expect("a module");
    whole.slots.insert(1, 5);
    assert!(cut(&links(&KNOWN), &whole).is_err());
}

#[track_caller]
fn check_gate(name: &str, supplement: Option<usize>) {
    assert_eq!(gate(name).expect("a known supplement"), supplement, "{name}");
}

#[test]
fn a_gate_is_known_by_its_own_name() {
    check_gate("everfold::store::compact::gate_compaction_due", Some(0));
    check_gate("everfold::store::compact::gate_compaction_due::<S, H>", Some(0));
    check_gate("everfold::web::gate_projections_call", Some(3));
    check_gate("everfold::web::gate_projections_call::{closure#0}", None);
    check_gate("core::ptr::drop_in_place::<everfold::gate_folding_call::{closure#0}>", None);
    check_gate("everfold::delegate_compaction", None);
    assert!(gate("everfold::gate_keeper").is_err());
}

#[test]
fn a_function_is_of_the_module_of_its_path_or_of_its_type() {
    assert!(is_of("everfold::reducer::step::run", "everfold::reducer"));
    assert!(is_of("<everfold::reducer::Step as Clone>::clone", "everfold::reducer"));
    assert!(is_of(
        "<everfold::store::compact::rebuild::Rebuilding>::finish",
        "everfold::store::compact::rebuild::Rebuilding"
    ));
    assert!(!is_of("everfold::reducers::run", "everfold::reducer"));
    assert!(!is_of("core::ptr::drop_in_place::<everfold::reducer::Step>", "everfold::reducer"));
}
