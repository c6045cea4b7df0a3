//! Cuts the wasm into the module that a page loads to open, append and read, and supplements, which it loads when they are
//! first needed.
//!
//! It is compiled, linked and optimised as one. Then its functions are told apart: a supplement has what can be reached
//! through its gates alone. A gate is a function by the name of `gate_`, the supplement and what it does, which is
//! never inlined. What is reached by a call stands in the code; what is reached through the table of functions, or by data
//! that knows a slot of it, the linker tells (see `links`).
//!
//! Supplements live in the instance of the first module: they import its memory, its tables, its globals and those of
//! its functions that they call, and put their own functions, gates before all, into slots of the table which are empty until
//! then. What several supplements need, and the first module does not, stands in each of them.

mod links;
mod module;
mod part;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};

use links::{Links, Node};
use module::{FUNCTIONS, Module};
use part::{Kind, Part, Place, Ties};

pub use links::without_links;

/// A supplement.
pub struct Supplement {
    /// As in the names of its gates, and of its file.
    pub name: &'static str,
    /// The modules of the core of which no function may be in the first module.
    owns: &'static [&'static str],
}

/// All supplements, by their numbers: see `src/supplement.rs`.
pub const SUPPLEMENTS: [Supplement; 6] = [
    Supplement {
        name: "compaction",
        owns: &[
            "everfold::store::compact::rebuild::Rebuilding",
            "everfold::store::compact::unit_work",
            "everfold::store::compact::runs",
            "everfold::layout::rebuild",
        ],
    },
    Supplement { name: "inquiries", owns: &["everfold::store::tally", "everfold::store::listing"] },
    Supplement {
        name: "folding",
        owns: &["everfold::reducer", "everfold::store::fold", "everfold::documents::batch"],
    },
    Supplement { name: "projections", owns: &["everfold::projection::shelf", "everfold::projection::range"] },
    Supplement { name: "memory", owns: &["everfold::storage::memory", "everfold::storage::records"] },
    Supplement {
        name: "consumers",
        owns: &[
            "everfold::consumer",
            "everfold::store::consumer::change",
            "everfold::store::consumer::follow",
            "everfold::store::consumer::hand_out",
            "everfold::store::consumer::stored",
        ],
    },
];

/// What wasm-opt must not inline.
pub const GATES: &str = "*gate_*";

/// The parts of the wasm.
pub struct Parts {
    /// What tells them from those of any other build: a hash of all of them. The first module exports its table by this name, and
    /// supplements import it by that. So parts of two builds do not link, and nothing of either is run.
    pub build: String,
    /// The module that is loaded first.
    pub first: Vec<u8>,
    /// The supplements, by their numbers.
    pub supplements: Vec<Vec<u8>>,
}

/// Who has a function, a slot or a byte: supplements as bits, or the first module.
type Owners = u32;
const FIRST: Owners = 1 << 31;

/// Cuts a module: `linked` is what came from the linker, `whole` what became of it, with the names of its functions.
pub fn split(linked: &[u8], whole: &[u8]) -> Result<Parts> {
    cut(&Links::read(linked)?, &Module::read(whole)?)
}

fn cut(links: &Links, whole: &Module<'_>) -> Result<Parts> {
    let owned = Owned::by(links)?;
    check_slots(links, whole)?;
    let gates = gates(whole)?;
    let owners = owners(whole, &owned, &gates)?;
    check_first(links, whole, &owners)?;

    let parts: Vec<Part> = std::iter::once((Place::First, FIRST))
        .chain((0..SUPPLEMENTS.len()).map(|number| (Place::Supplement, 1 << number)))
        .map(|(place, owner)| {
            let functions: Vec<u32> =
                whole.numbers().filter(|it| owners[*it as usize] & owner != 0).collect();
            let is_held = |function: u32| owners[function as usize] & owner != 0;
            let slots = whole.slots.iter().map(|(slot, function)| (*slot, *function));
            let is_own = |(slot, function): &(u32, u32)| {
                let is_wanted = owned.slots.get(slot).is_some_and(|owners| owners & owner != 0);
                // Imports belong to no part: the first one fills their slots, whoever calls by them.
                let is_import = (*function as usize) < whole.imports.len();
                if place == Place::First {
                    is_held(*function) || is_import
                } else {
                    is_held(*function) && is_wanted
                }
            };
            let data = owned.data(whole, owner);
            Part { place, functions, slots: slots.filter(is_own).collect(), data }
        })
        .collect();
    write(whole, parts, gates)
}

/// Gives slots to what is called from elsewhere, and writes all parts.
fn write(whole: &Module<'_>, mut parts: Vec<Part>, gates: BTreeMap<u32, usize>) -> Result<Parts> {
    let mut slot_count = whole.slots.last_key_value().map_or(1, |(slot, _)| slot + 1);
    let mut slots = HashMap::new();
    let first: BTreeSet<u32> = parts[0].functions.iter().copied().collect();
    for (slot, function) in &parts[0].slots {
        slots.insert(*function, *slot);
    }
    let mut called = BTreeSet::new();
    for part in &parts[1..] {
        let calls = part.functions.iter().filter_map(|it| whole.function(*it)).flat_map(|it| &it.calls);
        called.extend(calls.chain(part.slots.values()).filter(|it| first.contains(it)));
    }
    for function in called {
        if let std::collections::hash_map::Entry::Vacant(vacant) = slots.entry(function) {
            vacant.insert(slot_count);
            parts[0].slots.insert(slot_count, function);
            slot_count += 1;
        }
    }
    for (gate, supplement) in &gates {
        slots.insert(*gate, slot_count);
        parts[supplement + 1].slots.insert(slot_count, *gate);
        slot_count += 1;
    }
    let gates = gates.into_keys().collect();
    let mut ties = Ties { slot_count, slots, names: names(whole, ""), gates };
    let build = build_of(&write_all(whole, &parts, &ties)?);
    ties.names = names(whole, &build);
    let mut written = write_all(whole, &parts, &ties)?.into_iter();
    let first = written.next().context("there is a first module")?;
    Ok(Parts { build, first, supplements: written.collect() })
}

fn write_all(whole: &Module<'_>, parts: &[Part], ties: &Ties) -> Result<Vec<Vec<u8>>> {
    parts.iter().map(|part| part.write(whole, ties)).collect()
}

/// A name for all parts of one build: 48 bits of the hash FNV-1a. No short name of an export is as long.
fn build_of(parts: &[Vec<u8>]) -> String {
    let bytes = parts.iter().flatten();
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("b{:012x}", hash >> 16)
}

/// What is shared, by the names of exports: new ones where there are none. The table is called by the build.
fn names(whole: &Module<'_>, build: &str) -> BTreeMap<(Kind, u32), String> {
    let mut names: BTreeMap<(Kind, u32), String> = BTreeMap::new();
    let all = (0..whole.memories.len() as u32).map(|number| (Kind::Memory, number));
    let all = all.chain((0..whole.tables.len() as u32).map(|number| (Kind::Table, number)));
    for (key, place) in
        all.chain((0..whole.globals.len() as u32).map(|number| (Kind::Global, number))).zip(0..)
    {
        if key == (Kind::Table, FUNCTIONS) {
            names.insert(key, build.to_owned());
            continue;
        }
        let known =
            whole.exports.iter().find(|(_, kind, number)| (Kind::of(*kind), *number) == (Some(key.0), key.1));
        names.insert(key, known.map_or_else(|| format!("${place}"), |(name, ..)| (*name).to_owned()));
    }
    names
}

/// The gates, and the supplements to which they lead.
fn gates(whole: &Module<'_>) -> Result<BTreeMap<u32, usize>> {
    let mut gates = BTreeMap::new();
    for number in whole.numbers() {
        if let Some(supplement) = gate(whole.name(number))? {
            gates.insert(number, supplement);
        }
    }
    for (supplement, place) in SUPPLEMENTS.iter().zip(0..) {
        ensure!(gates.values().any(|known| *known == place), "there is no gate to {}", supplement.name);
    }
    Ok(gates)
}

/// The supplement to which a function of this name leads, if it is a gate.
fn gate(name: &str) -> Result<Option<usize>> {
    let path = demangled(name);
    let path = path.split_once("::<").map_or(path.as_str(), |(path, _)| path);
    let Some(gate) = path.rsplit("::").next().and_then(|name| name.strip_prefix("gate_")) else {
        return Ok(None);
    };
    let found = SUPPLEMENTS.iter().position(|supplement| gate.split('_').next() == Some(supplement.name));
    Ok(Some(found.with_context(|| format!("`{path}` leads to no supplement"))?))
}

/// A name as it stands in the source, with types and without hashes.
fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Who knows slots of the table, and data.
struct Owned {
    slots: HashMap<u32, Owners>,
    /// Data, with those who know it.
    data: Vec<(Range<u32>, Owners)>,
}

impl Owned {
    fn by(links: &Links) -> Result<Self> {
        let mut gates = HashMap::new();
        for (name, number) in links.names.iter().zip(0..) {
            if let Some(supplement) = gate(name)? {
                gates.insert(number, supplement);
            }
        }
        let is_gate = |function: u32| gates.contains_key(&function);
        let mut owned = Self { slots: HashMap::new(), data: Vec::new() };
        let mut owners: HashMap<Node, Owners> = HashMap::new();
        let first = links.reach(links.exports.iter().map(|export| Node::Function(*export)), is_gate);
        first.into_keys().for_each(|node| *owners.entry(node).or_default() |= FIRST);
        for supplement in 0..SUPPLEMENTS.len() {
            let roots = gates.iter().filter(|(_, known)| **known == supplement);
            let reached = links.reach(roots.map(|(gate, _)| Node::Function(*gate)), is_gate);
            reached.into_keys().for_each(|node| *owners.entry(node).or_default() |= 1 << supplement);
        }
        let of = |node| owners.get(&node).copied().unwrap_or_default();
        for (slot, function) in &links.slots {
            owned.slots.insert(*slot, of(Node::Slot(*function)));
        }
        for (datum, place) in links.data.iter().zip(0..) {
            let known = of(Node::Datum(place));
            // What changes is written once: a supplement that came later would set it back.
            let owners = if datum.is_constant { known } else { FIRST };
            owned.data.push((datum.bytes.clone(), owners));
        }
        Ok(owned)
    }

    /// The bytes of the memory that one part writes.
    fn data(&self, whole: &Module<'_>, owner: Owners) -> Vec<(u32, Vec<u8>)> {
        let mut data = Vec::new();
        for (address, bytes) in &whole.data {
            let mut owners: Vec<Owners> = vec![0; bytes.len()];
            for (range, known) in &self.data {
                let start = range.start.saturating_sub(*address) as usize;
                let end = (range.end.saturating_sub(*address) as usize).min(bytes.len());
                owners.get_mut(start..end).into_iter().flatten().for_each(|owners| *owners |= known);
            }
            // What has no name, and what the first module knows, is there from the beginning.
            let is_wanted = |owners: &Owners| match *owners {
                0 => owner == FIRST,
                owners if owners & FIRST != 0 => owner == FIRST,
                owners => owners & owner != 0,
            };
            let mut at = 0;
            for run in owners.chunk_by(|one, next| is_wanted(one) == is_wanted(next)) {
                if run.first().is_some_and(is_wanted) {
                    data.push((address + at as u32, bytes[at..at + run.len()].to_vec()));
                }
                at += run.len();
            }
        }
        data
    }
}

/// That the slots are those of the linker: what it says of them is told by their numbers.
fn check_slots(links: &Links, whole: &Module<'_>) -> Result<()> {
    let known: BTreeSet<&str> = whole.numbers().map(|number| whole.name(number)).collect();
    ensure!(links.slots.len() == whole.slots.len(), "the table has other slots than the linker gave it");
    for (slot, function) in &whole.slots {
        let linked = links.slots.get(slot).context("the table has a slot that the linker did not give it")?;
        let (linked, name) = (links.names[*linked as usize].as_str(), whole.name(*function));
        // Where two functions do the same, one of them may stand for both.
        ensure!(linked == name || !known.contains(linked), "slot {slot} is {name}, and was {linked}");
    }
    Ok(())
}

/// Who has each function.
fn owners(whole: &Module<'_>, owned: &Owned, gates: &BTreeMap<u32, usize>) -> Result<Vec<Owners>> {
    let mut owners = vec![0; whole.numbers().end as usize];
    let slots = |owner: Owners| {
        let slots = whole
            .slots
            .iter()
            .filter(move |(slot, _)| owned.slots.get(slot).is_some_and(|it| it & owner != 0));
        slots.map(|(_, function)| *function)
    };
    let exported = whole.exports.iter().filter(|(_, kind, _)| *kind == wasmparser::ExternalKind::Func);
    let roots: Vec<u32> = exported.map(|(.., number)| *number).chain(slots(FIRST)).collect();
    if let Some(gate) = roots.iter().find(|root| gates.contains_key(root)) {
        bail!("{} can be entered from outside", demangled(whole.name(*gate)));
    }
    spread(whole, roots, FIRST, &mut owners, |number, _| gates.contains_key(&number));
    for supplement in 0..SUPPLEMENTS.len() {
        let own = gates.iter().filter(|(_, known)| **known == supplement).map(|(gate, _)| *gate);
        let roots = own.chain(slots(1 << supplement)).collect();
        spread(whole, roots, 1 << supplement, &mut owners, |number, owners| {
            owners == FIRST || gates.get(&number).is_some_and(|known| *known != supplement)
        });
    }
    Ok(owners)
}

/// Marks what is reached by calls, and is not closed.
fn spread(
    whole: &Module<'_>,
    mut left: Vec<u32>,
    owner: Owners,
    owners: &mut [Owners],
    is_closed: impl Fn(u32, Owners) -> bool,
) {
    while let Some(number) = left.pop() {
        let Some(function) = whole.function(number) else { continue };
        let known = &mut owners[number as usize];
        if *known & owner != 0 || is_closed(number, *known) {
            continue;
        }
        *known |= owner;
        left.extend(&function.calls);
    }
}

/// That the first module has nothing of what supplements own.
fn check_first(links: &Links, whole: &Module<'_>, owners: &[Owners]) -> Result<()> {
    for number in whole.numbers().filter(|number| owners[*number as usize] == FIRST) {
        let path = demangled(whole.name(number));
        let owner =
            SUPPLEMENTS.iter().find(|supplement| supplement.owns.iter().any(|module| is_of(&path, module)));
        let Some(owner) = owner else { continue };
        let is_gate = |function: u32| matches!(gate(&links.names[function as usize]), Ok(Some(_)));
        let reached = links.reach(links.exports.iter().map(|export| Node::Function(*export)), is_gate);
        let linked = links.names.iter().position(|name| name == whole.name(number));
        let way = linked.map(|linked| links.way(&reached, Node::Function(linked as u32))).unwrap_or_default();
        bail!(
            "{path} belongs to {}, and is reached without its gate:\n  {}",
            owner.name,
            way.join("\n  by ")
        );
    }
    Ok(())
}

/// Whether a function is of a module: it is in it, or belongs to a type of it.
fn is_of(path: &str, module: &str) -> bool {
    path.trim_start_matches(['<', '&'])
        .strip_prefix(module)
        .is_some_and(|rest| rest.starts_with([':', '>', ' ', '<']))
}

const _: () = assert!(FUNCTIONS == 0, "a supplement has the table of functions as its first");
