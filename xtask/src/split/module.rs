//! A module that is to be cut, as it was read.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, bail, ensure};
use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncType, FunctionBody, GlobalType,
    KnownCustom, MemoryType, Name, Operator, Parser, Payload, TableType, TypeRef,
};

use super::links::constant;

/// The table of functions: no other has any.
pub const FUNCTIONS: u32 = 0;

/// The sections of a module.
#[derive(Default)]
pub struct Module<'a> {
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// Those that are not imported. Their numbers follow on the imports.
    pub functions: Vec<Function<'a>>,
    pub tables: Vec<TableType>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<(GlobalType, ConstExpr<'a>)>,
    pub exports: Vec<(&'a str, ExternalKind, u32)>,
    /// The function in each slot of the table.
    pub slots: BTreeMap<u32, u32>,
    /// Bytes of the memory, with their addresses.
    pub data: Vec<(u32, &'a [u8])>,
    names: HashMap<u32, String>,
}

/// An imported function.
pub struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub kind: u32,
}

/// A function that is not imported.
pub struct Function<'a> {
    pub kind: u32,
    pub body: FunctionBody<'a>,
    /// The functions that it calls by their numbers.
    pub calls: Vec<u32>,
}

impl<'a> Module<'a> {
    /// Reads a module with the names of its functions. What it could have, and has not, is refused.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Self::default();
        let mut kinds = Vec::new();
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(types) => {
                    module.types = types.into_iter_err_on_gc_types().collect::<Result<_, _>>()?;
                }
                Payload::FunctionSection(functions) => {
                    kinds = functions.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CodeSectionEntry(body) => bodies.push(body),
                Payload::StartSection { .. } | Payload::TagSection(_) => {
                    bail!("the module has what cannot be cut")
                }
                payload => module.take(payload)?,
            }
        }
        ensure!(kinds.len() == bodies.len(), "the module has functions without bodies");
        for (kind, body) in kinds.into_iter().zip(bodies) {
            let calls = calls(&body)?;
            module.functions.push(Function { kind, body, calls });
        }
        Ok(module)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    let TypeRef::Func(kind) = import.ty else {
                        bail!("the module imports what is no function")
                    };
                    self.imports.push(Import { module: import.module, name: import.name, kind });
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    self.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(memories) => {
                self.memories = memories.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let global = global?;
                    self.globals.push((global.ty, global.init_expr));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    self.exports.push((export.name, export.kind, export.index));
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    let element = element?;
                    let (
                        ElementKind::Active { table_index, offset_expr },
                        ElementItems::Functions(functions),
                    ) = (element.kind, element.items)
                    else {
                        bail!("the module has elements that are in no table");
                    };
                    ensure!(
                        table_index.unwrap_or(FUNCTIONS) == FUNCTIONS,
                        "there are functions in another table"
                    );
                    let first = constant(offset_expr.get_binary_reader())?;
                    for (function, slot) in functions.into_iter().zip(first..) {
                        self.slots.insert(slot, function?);
                    }
                }
            }
            Payload::DataSection(data) => {
                for segment in data {
                    let segment = segment?;
                    let DataKind::Active { offset_expr, .. } = segment.kind else {
                        bail!("the module has data that is in no memory");
                    };
                    self.data.push((constant(offset_expr.get_binary_reader())?, segment.data));
                }
            }
            Payload::CustomSection(custom) => {
                if let KnownCustom::Name(names) = custom.as_known() {
                    for names in names {
                        let Name::Function(functions) = names? else { continue };
                        for naming in functions {
                            let naming = naming?;
                            self.names.insert(naming.index, naming.name.to_owned());
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The numbers of all functions, imported ones first.
    pub fn numbers(&self) -> std::ops::Range<u32> {
        0..(self.imports.len() + self.functions.len()) as u32
    }

    /// A function that is not imported.
    pub fn function(&self, number: u32) -> Option<&Function<'a>> {
        self.functions.get((number as usize).checked_sub(self.imports.len())?)
    }

    /// The number of a function's type.
    pub fn kind(&self, number: u32) -> u32 {
        self.function(number).map_or_else(|| self.imports[number as usize].kind, |function| function.kind)
    }

    /// What it is called by the compiler.
    pub fn name(&self, number: u32) -> &str {
        self.names.get(&number).map_or("", String::as_str)
    }
}

fn calls(body: &FunctionBody<'_>) -> Result<Vec<u32>> {
    let mut calls = Vec::new();
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::Call { function_index } => calls.push(function_index),
            Operator::ReturnCall { .. } | Operator::RefFunc { .. } => {
                bail!("a function is named otherwise than by a call")
            }
            _ => {}
        }
    }
    calls.sort_unstable();
    calls.dedup();
    Ok(calls)
}
