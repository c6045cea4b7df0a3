//! One of the modules into which a module is cut.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result, anyhow};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, ImportSection, Instruction, MemorySection, TableSection,
    TypeSection,
};
use wasmparser::{ExternalKind, Operator};

use super::module::{FUNCTIONS, Module};

/// Where a supplement imports the memory, the tables and the globals from: by the names under which the first module
/// exports them.
const FIRST: &str = "b";
/// Where a supplement imports functions of the first module from: by their slots in the table.
const SLOTS: &str = "c";

/// What a part holds.
pub struct Part {
    pub place: Place,
    /// Its functions, by their numbers in the whole.
    pub functions: Vec<u32>,
    /// What it puts into the table.
    pub slots: BTreeMap<u32, u32>,
    /// What it puts into the memory.
    pub data: Vec<(u32, Vec<u8>)>,
}

/// Where a part stands among the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is instantiated first, and has the memory, the tables and the globals.
    First,
    /// It comes later, and imports them.
    Supplement,
}

/// What the parts know of each other.
pub struct Ties {
    /// How many slots the table has.
    pub slot_count: u32,
    /// The slots of functions that are called from another part.
    pub slots: HashMap<u32, u32>,
    /// The names by which the first module exports its memory, its tables and its globals.
    pub names: BTreeMap<(Kind, u32), String>,
    /// The functions that are called by their slots, because they may not be there yet.
    pub gates: BTreeSet<u32>,
}

/// What has a number, besides functions and types.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Memory,
    Table,
    Global,
}

impl Kind {
    /// What is exported, if it is none of the others.
    pub fn of(kind: ExternalKind) -> Option<Self> {
        match kind {
            ExternalKind::Memory => Some(Self::Memory),
            ExternalKind::Table => Some(Self::Table),
            ExternalKind::Global => Some(Self::Global),
            _ => None,
        }
    }

    fn exported(self) -> ExportKind {
        match self {
            Self::Memory => ExportKind::Memory,
            Self::Table => ExportKind::Table,
            Self::Global => ExportKind::Global,
        }
    }
}

impl Part {
    /// Writes the part.
    pub fn write(&self, whole: &Module<'_>, ties: &Ties) -> Result<Vec<u8>> {
        let mut numbers = Numbers::default();
        let mut imports = self.imports(whole, ties, &mut numbers)?;
        let mut functions = FunctionSection::new();
        for number in &self.functions {
            numbers.add_function(*number);
            functions.function(numbers.kind(whole.kind(*number)));
        }
        self.number_what_is_shared(whole, ties, &mut numbers, &mut imports)?;
        let mut code = CodeSection::new();
        for number in &self.functions {
            code.function(&numbers.body(whole, *number, ties)?);
        }
        let elements = elements(&self.slots, &numbers)?;
        let mut data = DataSection::new();
        for (address, bytes) in &self.data {
            data.active(0, &ConstExpr::i32_const(*address as i32), bytes.iter().copied());
        }
        let mut module = wasm_encoder::Module::new();
        let shared = match self.place {
            Place::First => Some(Shared::of(whole, ties, &mut numbers)?),
            Place::Supplement => None,
        };
        module.section(&numbers.type_section(whole)?).section(&imports).section(&functions);
        if let Some(Shared { tables, memories, globals, exports }) = &shared {
            module.section(tables).section(memories).section(globals).section(exports);
        }
        module.section(&elements).section(&code).section(&data);
        let module = module.finish();
        wasmparser::validate(&module).context("a part of the wasm is not valid")?;
        Ok(module)
    }

    /// Imports the functions that are called and stand elsewhere, but for gates.
    fn imports(&self, whole: &Module<'_>, ties: &Ties, numbers: &mut Numbers) -> Result<ImportSection> {
        let mut imports = ImportSection::new();
        let mut named: BTreeSet<u32> = self.slots.values().copied().collect();
        for number in &self.functions {
            named.extend(whole.function(*number).into_iter().flat_map(|function| &function.calls));
        }
        if self.place == Place::First {
            let exported = whole.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func);
            named.extend(exported.map(|(.., number)| *number));
        }
        let held: BTreeSet<u32> = self.functions.iter().copied().collect();
        for number in named.difference(&held).filter(|number| !ties.gates.contains(number)) {
            let kind = EntityType::Function(numbers.kind(whole.kind(*number)));
            match whole.imports.get(*number as usize) {
                Some(import) => imports.import(import.module, import.name, kind),
                None => imports.import(SLOTS, &ties.slot_of(*number)?.to_string(), kind),
            };
            numbers.add_function(*number);
        }
        Ok(imports)
    }

    /// Numbers the tables and the globals, and imports them and the memory where they are another part's.
    fn number_what_is_shared(
        &self,
        whole: &Module<'_>,
        ties: &Ties,
        numbers: &mut Numbers,
        imports: &mut ImportSection,
    ) -> Result<()> {
        if self.place == Place::First {
            numbers.tables = (0..whole.tables.len() as u32).map(|it| (it, it)).collect();
            numbers.globals = (0..whole.globals.len() as u32).map(|it| (it, it)).collect();
            return Ok(());
        }
        for ((kind, number), name) in &ties.names {
            let place = *number as usize;
            let imported = match kind {
                Kind::Memory => {
                    EntityType::Memory(numbers.memory_type(whole.memories[place]).map_err(refused)?)
                }
                Kind::Table => {
                    numbers.tables.insert(*number, numbers.tables.len() as u32);
                    let mut table = numbers.table_type(whole.tables[place]).map_err(refused)?;
                    // It is at least as large as it has to be.
                    (table.minimum, table.maximum) = (0, None);
                    EntityType::Table(table)
                }
                Kind::Global => {
                    numbers.globals.insert(*number, numbers.globals.len() as u32);
                    EntityType::Global(numbers.global_type(whole.globals[place].0).map_err(refused)?)
                }
            };
            imports.import(FIRST, name, imported);
        }
        Ok(())
    }
}

impl Ties {
    fn slot_of(&self, function: u32) -> Result<u32> {
        self.slots.get(&function).copied().context("a function that is called from elsewhere has no slot")
    }
}

/// What the first module alone has.
struct Shared {
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    exports: ExportSection,
}

impl Shared {
    fn of(whole: &Module<'_>, ties: &Ties, numbers: &mut Numbers) -> Result<Self> {
        let (mut tables, mut memories) = (TableSection::new(), MemorySection::new());
        let (mut globals, mut exports) = (GlobalSection::new(), ExportSection::new());
        for (table, number) in whole.tables.iter().zip(0..) {
            let mut table = numbers.table_type(*table).map_err(refused)?;
            if number == FUNCTIONS {
                table.minimum = u64::from(ties.slot_count);
                table.maximum = Some(table.minimum);
            }
            tables.table(table);
        }
        for memory in &whole.memories {
            memories.memory(numbers.memory_type(*memory).map_err(refused)?);
        }
        for (kind, value) in &whole.globals {
            let kind = numbers.global_type(*kind).map_err(refused)?;
            globals.global(kind, &numbers.const_expr(value.clone()).map_err(refused)?);
        }
        for (name, kind, number) in &whole.exports {
            match Kind::of(*kind) {
                Some(kind) => exports.export(name, kind.exported(), *number),
                None => {
                    exports.export(name, ExportKind::Func, numbers.function_index(*number).map_err(refused)?)
                }
            };
        }
        for ((kind, number), name) in &ties.names {
            if !whole.exports.iter().any(|(known, ..)| known == name) {
                exports.export(name, kind.exported(), *number);
            }
        }
        Ok(Self { tables, memories, globals, exports })
    }
}

/// A segment for each run of slots.
fn elements(slots: &BTreeMap<u32, u32>, numbers: &Numbers) -> Result<ElementSection> {
    let mut elements = ElementSection::new();
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (slot, function) in slots {
        let number = numbers.functions.get(function).copied().context("the table has an unknown function")?;
        match runs.last_mut() {
            Some((first, run)) if *first + run.len() as u32 == *slot => run.push(number),
            _ => runs.push((*slot, vec![number])),
        }
    }
    for (first, run) in runs {
        elements.active(None, &ConstExpr::i32_const(first as i32), Elements::Functions(run.into()));
    }
    Ok(elements)
}

/// The numbers of the whole, as those of a part.
#[derive(Default)]
struct Numbers {
    functions: HashMap<u32, u32>,
    /// Each gets its number when it is first used.
    types: Vec<u32>,
    tables: HashMap<u32, u32>,
    globals: HashMap<u32, u32>,
}

impl Numbers {
    fn add_function(&mut self, function: u32) {
        self.functions.insert(function, self.functions.len() as u32);
    }

    fn kind(&mut self, kind: u32) -> u32 {
        let place = self.types.iter().position(|known| *known == kind).unwrap_or_else(|| {
            self.types.push(kind);
            self.types.len() - 1
        });
        place as u32
    }

    fn type_section(&mut self, whole: &Module<'_>) -> Result<TypeSection> {
        let mut types = TypeSection::new();
        for kind in self.types.clone() {
            let kind = self.func_type(whole.types[kind as usize].clone()).map_err(refused)?;
            types.ty().func_type(&kind);
        }
        Ok(types)
    }

    fn body(&mut self, whole: &Module<'_>, number: u32, ties: &Ties) -> Result<Function> {
        let body = &whole.function(number).context("an imported function has no body")?.body;
        let mut written = self.new_function_with_parsed_locals(body).map_err(refused)?;
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index } if !self.functions.contains_key(&function_index) => {
                    let type_index = self.kind(whole.kind(function_index));
                    written.instruction(&Instruction::I32Const(ties.slot_of(function_index)? as i32));
                    written.instruction(&Instruction::CallIndirect { type_index, table_index: FUNCTIONS });
                }
                operator => {
                    written.instruction(&self.instruction(operator).map_err(refused)?);
                }
            }
        }
        Ok(written)
    }
}

impl Reencode for Numbers {
    type Error = anyhow::Error;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Self::Error>> {
        number_in(&self.functions, function)
    }

    fn table_index(&mut self, table: u32) -> Result<u32, reencode::Error<Self::Error>> {
        number_in(&self.tables, table)
    }

    fn global_index(&mut self, global: u32) -> Result<u32, reencode::Error<Self::Error>> {
        number_in(&self.globals, global)
    }

    fn type_index(&mut self, kind: u32) -> Result<u32, reencode::Error<Self::Error>> {
        Ok(self.kind(kind))
    }
}

fn number_in(numbers: &HashMap<u32, u32>, number: u32) -> Result<u32, reencode::Error<anyhow::Error>> {
    let found = numbers.get(&number).copied();
    found.ok_or_else(|| reencode::Error::UserError(anyhow!("a part names what it does not have: {number}")))
}

fn refused(error: reencode::Error<anyhow::Error>) -> anyhow::Error {
    anyhow!("{error}")
}
