//! What the linker knew: which functions and which data a function, or a place in the data, names.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::Section as _;
use wasmparser::{
    BinaryReader, DataKind, ElementItems, ElementKind, ExternalKind, KnownCustom, Linking, Name, Operator,
    Parser, Payload, RelocationEntry, RelocationType, SymbolInfo, TypeRef,
};

/// A linked module, as a graph.
#[derive(Default)]
pub struct Links {
    /// The name of each function, imported ones first.
    pub names: Vec<String>,
    /// Data, as the linker laid it.
    pub data: Vec<Datum>,
    /// The function in each slot of the table.
    pub slots: HashMap<u32, u32>,
    /// The functions that JavaScript can call.
    pub exports: Vec<u32>,
    /// What each names.
    pub edges: HashMap<Node, Vec<Node>>,
}

/// Data that has a name, and is named as a whole.
pub struct Datum {
    /// Where in the memory it is.
    pub bytes: Range<u32>,
    /// Whether it never changes.
    pub is_constant: bool,
}

/// What can name something, and be named.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// A function, by its number: it may be called.
    Function(u32),
    /// The slots of a function: somebody knows them.
    Slot(u32),
    /// A datum, by its place among them.
    Datum(u32),
}

/// The segments of the linked module that are never written to.
const CONSTANT: &str = ".rodata";

impl Links {
    /// Reads a module that was linked with `--emit-relocs`.
    pub fn read(module: &[u8]) -> Result<Self> {
        let mut raw = Raw::read(module)?;
        let mut links = Self {
            slots: std::mem::take(&mut raw.slots),
            exports: std::mem::take(&mut raw.exports),
            ..Self::default()
        };
        links.names = (0..raw.import_count + raw.bodies.len() as u32)
            .map(|number| raw.names.remove(&number).unwrap_or_default())
            .collect();
        let mut data_of_symbols = HashMap::new();
        for (symbol, info) in raw.symbols.iter().enumerate() {
            if let SymbolInfo::Data { symbol: Some(defined), .. } = info {
                let segment = raw.segments.get(defined.index as usize).context("data is in no segment")?;
                let start = segment.address + defined.offset;
                data_of_symbols.insert(symbol as u32, links.data.len() as u32);
                let is_constant = raw.segment_names.get(&defined.index).is_some_and(|it| it == CONSTANT);
                links.data.push(Datum { bytes: start..start + defined.size, is_constant });
            }
        }
        ensure!(!links.data.is_empty(), "the module was not linked with `--emit-relocs`");
        for (section, relocations) in &raw.relocations {
            for relocation in relocations {
                let Some(to) = target(relocation, &raw.symbols, &data_of_symbols)? else { continue };
                let at = relocation.offset as usize;
                let from = if Some(*section) == raw.code.section {
                    vec![Node::Function(raw.import_count + raw.body_at(raw.code.start + at)?)]
                } else if Some(*section) == raw.data.section {
                    let address = raw.address_at(raw.data.start + at)?;
                    let holders = links.data.iter().zip(0..).filter(|(it, _)| it.bytes.contains(&address));
                    holders.map(|(_, place)| Node::Datum(place)).collect()
                } else {
                    continue;
                };
                ensure!(!from.is_empty(), "something is named where no datum is");
                for from in from {
                    links.edges.entry(from).or_default().push(to);
                }
            }
        }
        for function in links.slots.values() {
            links.edges.entry(Node::Slot(*function)).or_default().push(Node::Function(*function));
        }
        Ok(links)
    }

    /// What can be reached without passing a gate: for each node, by which it was.
    pub fn reach(
        &self,
        roots: impl IntoIterator<Item = Node>,
        is_gate: impl Fn(u32) -> bool,
    ) -> HashMap<Node, Node> {
        let mut reached = HashMap::new();
        let mut left: Vec<(Node, Node)> = roots.into_iter().map(|root| (root, root)).collect();
        while let Some((node, by)) = left.pop() {
            let closed = matches!(node, Node::Function(function) if is_gate(function) && by != node);
            if closed || reached.contains_key(&node) {
                continue;
            }
            reached.insert(node, by);
            left.extend(self.edges.get(&node).into_iter().flatten().map(|to| (*to, node)));
        }
        reached
    }

    /// The way on which something was reached, for people.
    pub fn way(&self, reached: &HashMap<Node, Node>, mut node: Node) -> Vec<String> {
        let mut way = vec![self.describe(node)];
        while let Some(by) = reached.get(&node).filter(|by| **by != node) {
            node = *by;
            way.push(self.describe(node));
        }
        way
    }

    fn describe(&self, node: Node) -> String {
        match node {
            Node::Function(number) => super::demangled(&self.names[number as usize]),
            Node::Slot(number) => format!("the slot of {}", super::demangled(&self.names[number as usize])),
            Node::Datum(place) => format!("data at {}", self.data[place as usize].bytes.start),
        }
    }
}

/// The module without what the linker knew, which no other tool keeps up to date.
pub fn without_links(module: &[u8]) -> Result<Vec<u8>> {
    let mut stripped = module.get(..8).context("the module has no header")?.to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let is_link = |name: &str| name == "linking" || name.starts_with("reloc.");
        match (&payload, payload.as_section()) {
            (Payload::CustomSection(custom), _) if is_link(custom.name()) => {}
            (_, Some((id, range))) => {
                wasm_encoder::RawSection { id, data: &module[range] }.append_to(&mut stripped);
            }
            _ => {}
        }
    }
    Ok(stripped)
}

/// What a relocation names, where that is code or data.
fn target(
    relocation: &RelocationEntry,
    symbols: &[SymbolInfo<'_>],
    data: &HashMap<u32, u32>,
) -> Result<Option<Node>> {
    let function = || match symbols.get(relocation.index as usize) {
        Some(SymbolInfo::Func { index, .. }) => Ok(*index),
        _ => bail!("what is no function is named as one"),
    };
    Ok(match relocation.ty {
        RelocationType::FunctionIndexLeb => Some(Node::Function(function()?)),
        RelocationType::TableIndexSleb | RelocationType::TableIndexI32 => Some(Node::Slot(function()?)),
        RelocationType::MemoryAddrLeb | RelocationType::MemoryAddrSleb | RelocationType::MemoryAddrI32 => {
            data.get(&relocation.index).map(|place| Node::Datum(*place))
        }
        RelocationType::TypeIndexLeb
        | RelocationType::GlobalIndexLeb
        | RelocationType::TableNumberLeb
        | RelocationType::EventIndexLeb => None,
        other => bail!("there is a relocation of a kind that is not known: {other:?}"),
    })
}

/// The sections of a module, as far as they matter here.
#[derive(Default)]
struct Raw<'a> {
    import_count: u32,
    bodies: Vec<Range<usize>>,
    names: HashMap<u32, String>,
    exports: Vec<u32>,
    slots: HashMap<u32, u32>,
    segments: Vec<Segment>,
    segment_names: HashMap<u32, String>,
    symbols: Vec<SymbolInfo<'a>>,
    relocations: Vec<(u32, Vec<RelocationEntry>)>,
    code: Section,
    data: Section,
}

#[derive(Default)]
struct Section {
    section: Option<u32>,
    start: usize,
}

struct Segment {
    address: u32,
    file: Range<usize>,
}

impl<'a> Raw<'a> {
    fn read(module: &'a [u8]) -> Result<Self> {
        let mut raw = Self::default();
        let mut section = 0;
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            if matches!(payload, Payload::Version { .. } | Payload::CodeSectionEntry(_) | Payload::End(_)) {
                if let Payload::CodeSectionEntry(body) = payload {
                    raw.bodies.push(body.range());
                }
                continue;
            }
            raw.take(payload, section)?;
            section += 1;
        }
        Ok(raw)
    }

    fn take(&mut self, payload: Payload<'a>, section: u32) -> Result<()> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.import_count += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        self.exports.push(export.index);
                    }
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    let element = element?;
                    let ElementKind::Active { offset_expr, .. } = element.kind else { continue };
                    let first = constant(offset_expr.get_binary_reader())?;
                    let ElementItems::Functions(functions) = element.items else { continue };
                    for (function, slot) in functions.into_iter().zip(first..) {
                        self.slots.insert(slot, function?);
                    }
                }
            }
            Payload::CodeSectionStart { range, .. } => {
                self.code = Section { section: Some(section), start: range.start };
            }
            Payload::DataSection(data) => {
                self.data = Section { section: Some(section), start: data.range().start };
                for segment in data {
                    let segment = segment?;
                    let DataKind::Active { offset_expr, .. } = segment.kind else {
                        bail!("data has no place in the memory");
                    };
                    let file = segment.range.end - segment.data.len()..segment.range.end;
                    let address = constant(offset_expr.get_binary_reader())?;
                    self.segments.push(Segment { address, file });
                }
            }
            Payload::CustomSection(custom) => self.take_custom(custom.as_known())?,
            _ => {}
        }
        Ok(())
    }

    fn take_custom(&mut self, custom: KnownCustom<'a>) -> Result<()> {
        match custom {
            KnownCustom::Name(names) => {
                for names in names {
                    match names? {
                        Name::Function(functions) => {
                            for naming in functions {
                                let naming = naming?;
                                self.names.insert(naming.index, naming.name.to_owned());
                            }
                        }
                        Name::Data(segments) => {
                            for naming in segments {
                                let naming = naming?;
                                self.segment_names.insert(naming.index, naming.name.to_owned());
                            }
                        }
                        _ => {}
                    }
                }
            }
            KnownCustom::Linking(linking) => {
                for part in linking.subsections() {
                    if let Linking::SymbolTable(symbols) = part? {
                        for symbol in symbols {
                            self.symbols.push(symbol?);
                        }
                    }
                }
            }
            KnownCustom::Reloc(relocations) => {
                let entries = relocations.entries().into_iter().collect::<Result<Vec<_>, _>>()?;
                self.relocations.push((relocations.section_index(), entries));
            }
            _ => {}
        }
        Ok(())
    }

    fn body_at(&self, offset: usize) -> Result<u32> {
        let place = self.bodies.partition_point(|body| body.end <= offset);
        ensure!(self.bodies.get(place).is_some_and(|body| body.contains(&offset)), "code is in no function");
        Ok(place as u32)
    }

    fn address_at(&self, offset: usize) -> Result<u32> {
        let segment = self.segments.iter().find(|segment| segment.file.contains(&offset));
        let segment = segment.context("data is in no segment")?;
        Ok(segment.address + (offset - segment.file.start) as u32)
    }
}

/// The number that an expression of one constant gives.
pub fn constant(expression: BinaryReader<'_>) -> Result<u32> {
    match wasmparser::OperatorsReader::new(expression).read()? {
        Operator::I32Const { value } => Ok(value as u32),
        other => bail!("a place is given by {other:?}"),
    }
}
