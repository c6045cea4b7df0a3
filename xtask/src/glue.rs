//! Has the generated glue do what a page needs of it, and no more.
//!
//! It is generated for every way to load a wasm, for browsers of ten years and for callers who pass anything; here a
//! facade of checked arguments calls it, loads the wasm itself, and needs younger browsers anyway. Each change names
//! the text that it expects, and glue of another shape is refused: then somebody has to look.

use anyhow::{Context, Result, bail, ensure};

/// What begins the part of the glue that loads the wasm.
const LOADING: &str = "\nlet wasmModule, wasmInstance, wasm;\n";
/// What that part does with an instance, but for the views of its memory that it forgets.
const TAKE_INSTANCE: &str = "\
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    wasm.__wbindgen_start();
    return wasm;
}
";
/// What stands in its place. Every entry into the wasm is guarded, so that a trap is noticed wherever it happens: in
/// a call, in a promise's job, in an event of the database.
const START: &str = "
let wasm;
export function start(instance) {
    wasm = wasmCalls.guard(instance.exports);
    wasm.__wbindgen_start();
}
";
const IMPORT: &str = "import { wasmCalls } from \"./wasm-calls.js\";\n";
/// What begins the types of the part that loads the wasm.
const LOADING_TYPES: &str = "\nexport type InitInput = ";
/// The types of what stands in its place.
const START_TYPES: &str = "
/**
 * What the wasm is instantiated with.
 */
export function imports(): WebAssembly.Imports;

/**
 * Has everything here use this instance of the wasm.
 */
export function start(instance: WebAssembly.Instance): void;
";

/// Functions by their signatures, and what they do instead where they are.
const FUNCTIONS: [(&str, &str); 11] = [
    // A new view takes no longer than to see whether a kept one is still good, and to make a part of that.
    ("getArrayU8FromWasm0(ptr, len)", "return new Uint8Array(wasm.memory.buffer, ptr >>> 0, len);"),
    ("getArrayU32FromWasm0(ptr, len)", "return new Uint32Array(wasm.memory.buffer, ptr >>> 0, len);"),
    ("getArrayF64FromWasm0(ptr, len)", "return new Float64Array(wasm.memory.buffer, ptr >>> 0, len);"),
    ("getDataViewMemory0()", "return new DataView(wasm.memory.buffer);"),
    ("getStringFromWasm0(ptr, len)", "return decodeText(getArrayU8FromWasm0(ptr, len));"),
    (
        "passArray8ToWasm0(arg)",
        "WASM_VECTOR_LEN = arg.length;
    const ptr = wasm.__wbindgen_malloc(WASM_VECTOR_LEN, 1);
    getArrayU8FromWasm0(ptr, WASM_VECTOR_LEN).set(arg);
    return ptr;",
    ),
    (
        "passArrayF64ToWasm0(arg)",
        "WASM_VECTOR_LEN = arg.length;
    const ptr = wasm.__wbindgen_malloc(WASM_VECTOR_LEN * 8, 8);
    getArrayF64FromWasm0(ptr, WASM_VECTOR_LEN).set(arg);
    return ptr;",
    ),
    // Most texts are short and ASCII, as names and ids are: a loop is done with them before the browser has begun. Of the
    // others it encodes into the memory what fits there, which of ASCII is all.
    (
        "passStringToWasm0(arg)",
        "WASM_VECTOR_LEN = arg.length;
    let ptr = wasm.__wbindgen_malloc(WASM_VECTOR_LEN, 1);
    const bytes = getArrayU8FromWasm0(ptr, WASM_VECTOR_LEN);
    if (/^[\\0-\\x7f]{0,255}$/.test(arg)) {
        for (let i = 0; i < WASM_VECTOR_LEN; i++) bytes[i] = arg.charCodeAt(i);
        return ptr;
    }
    const { read, written } = cachedTextEncoder.encodeInto(arg, bytes);
    if (read < arg.length) {
        const rest = cachedTextEncoder.encode(arg.slice(read));
        WASM_VECTOR_LEN = written + rest.length;
        ptr = wasm.__wbindgen_realloc(ptr, arg.length, WASM_VECTOR_LEN, 1);
        getArrayU8FromWasm0(ptr + written, rest.length).set(rest);
    }
    return ptr;",
    ),
    // The function is made once for an import, not at each call of it.
    (
        "handleError(f)",
        "return (...args) => {
        try {
            return f(...args);
        } catch (e) {
            wasm.__wbindgen_exn_store(addToExternrefTable0(e));
        }
    };",
    ),
    ("isLikeNone(x)", "return x == null;"),
    ("optionalToExternrefTable0(x)", "return isLikeNone(x) ? 0 : addToExternrefTable0(x);"),
];

/// Texts that stand in the glue, and what stands there instead.
const TEXTS: [(&str, &str); 18] = [
    ("function __wbg_get_imports() {", "export function imports() {"),
    ("        __proto__: null,\n", ""),
    ("function handleError(f, args) {", "function handleError(f) {"),
    (": function() { return handleError(function (", ": handleError(function("),
    ("        }, arguments); },\n", "        }),\n"),
    (
        "function isLikeNone(x) {",
        "function optionalToExternrefTable0(x) {\n    x;\n}\n\nfunction isLikeNone(x) {",
    ),
    // The memory is asked for where it is filled.
    ("ToWasm0(arg, malloc, realloc)", "ToWasm0(arg)"),
    ("ToWasm0(arg, malloc)", "ToWasm0(arg)"),
    (", wasm.__wbindgen_malloc, wasm.__wbindgen_realloc)", ")"),
    (", wasm.__wbindgen_malloc)", ")"),
    // Views are not kept.
    ("let cachedDataViewMemory0 = null;\n", ""),
    ("let cachedUint8ArrayMemory0 = null;\n", ""),
    // What every browser has that the facade runs in.
    (
        "(typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : ",
        "",
    ),
    (
        "
if (!('encodeInto' in cachedTextEncoder)) {
    cachedTextEncoder.encodeInto = function (arg, view) {
        const buf = cachedTextEncoder.encode(arg);
        view.set(buf);
        return {
            read: arg.length,
            written: buf.length
        };
    };
}
",
        "",
    ),
    // The decoder is made where the first text crosses, as it is made anew later: by one piece of code.
    (
        "let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });\ncachedTextDecoder.decode();\n",
        "let cachedTextDecoder;\n",
    ),
    ("let numBytesDecoded = 0;\n", "let numBytesDecoded = MAX_SAFARI_DECODE_BYTES;\n"),
    ("        cachedTextDecoder.decode();\n", ""),
    // An engine is freed when nobody can reach it any more, and not before.
    ("if (Symbol.dispose) Engine.prototype[Symbol.dispose] = Engine.prototype.free;\n", ""),
];

/// Texts of single imports, and what stands there instead where they are.
const HABITS: [(&str, &str); 3] = [
    ("isLikeNone(ret) ? 0 : addToExternrefTable0(ret)", "optionalToExternrefTable0(ret)"),
    ("let cachedFloat64ArrayMemory0 = null;\n", ""),
    ("let cachedUint32ArrayMemory0 = null;\n", ""),
];

/// What is gone, so that nothing may speak of it.
const GONE: [&str; 7] = [
    "ArrayMemory0",
    "cachedDataViewMemory0",
    "__destroy_into_raw",
    "wasmModule",
    ".free",
    ", arguments)",
    ", realloc",
];

/// The glue as it is shipped. It exports `imports` and `start` besides what it did.
pub fn trimmed(glue: &str) -> Result<String> {
    let (glue, loading) =
        glue.split_once(LOADING).context("the glue does not load the wasm as it used to")?;
    let taken = |line: &&str| !(line.starts_with("    cached") && line.ends_with("Memory0 = null;"));
    let loading: String = loading.split_inclusive('\n').filter(|line| taken(&line.trim_end())).collect();
    ensure!(
        loading.starts_with(TAKE_INSTANCE),
        "the glue does not take an instance of the wasm as it used to"
    );
    ensure!(
        loading.matches(".exports").count() == 1,
        "the glue takes the exports of the wasm more than once"
    );
    let mut glue = format!("{IMPORT}{glue}{START}");
    for method in ["    __destroy_into_raw() {", "    free() {"] {
        without(&mut glue, method, "    }")?;
    }
    for (text, instead) in TEXTS {
        ensure!(glue.contains(text), "the glue has no `{text}` any more");
        glue = glue.replace(text, instead);
    }
    for (text, instead) in HABITS {
        glue = glue.replace(text, instead);
    }
    for class in ["ArrayBuffer", "Uint8Array"] {
        glue = glue
            .replace(&asked_with_care(class), &format!("            const ret = arg0 instanceof {class};\n"));
    }
    for kind in ["Float64", "Uint32", "Uint8"] {
        if glue.contains(&format!("function get{kind}ArrayMemory0(")) {
            without(&mut glue, &format!("function get{kind}ArrayMemory0() {{"), "}")?;
        }
    }
    for (signature, body) in FUNCTIONS {
        let (name, _) = signature.split_once('(').context("a signature has a name")?;
        if !glue.contains(&format!("function {name}(")) {
            continue;
        }
        let head = format!("function {signature} {{");
        let place = without(&mut glue, &head, "}")?;
        glue.insert_str(place, &format!("{head}\n    {body}\n}}\n"));
    }
    let glue = arrows(&passed_at_once(&glue)?);
    for text in GONE {
        ensure!(!glue.contains(text), "the glue still has `{text}`");
    }
    Ok(glue)
}

/// The types of what [`trimmed`] gives.
pub fn trimmed_types(types: &str) -> Result<String> {
    const FREE: &str = "    free(): void;\n    [Symbol.dispose](): void;\n";
    let (types, _) =
        types.split_once(LOADING_TYPES).context("the types do not load the wasm as they used to")?;
    ensure!(types.contains(FREE), "the types have nothing that can be freed");
    Ok(types.replace(FREE, "") + START_TYPES)
}

/// Takes out the lines from the first to the last, and what is between. The first has to stand there once. Gives the
/// place where they stood.
fn without(glue: &mut String, first: &str, last: &str) -> Result<usize> {
    let (first, last) = (format!("\n{first}\n"), format!("\n{last}\n"));
    ensure!(glue.matches(&first).count() == 1, "the glue has not one `{}`", first.trim());
    let start = glue.find(&first).context("it is there once")? + 1;
    let inside = start + first.len() - 2;
    let length = glue[inside..].find(&last).with_context(|| format!("`{}` does not end", first.trim()))?;
    glue.replace_range(start..inside + length + last.len(), "");
    Ok(start)
}

/// How the glue asks for the class of a value where the class itself may be missing.
fn asked_with_care(class: &str) -> String {
    format!(
        "            let result;
            try {{
                result = arg0 instanceof {class};
            }} catch (_) {{
                result = false;
            }}
            const ret = result;
"
    )
}

/// Arguments are passed without a thought of the first ones where a later one cannot be: that fails for want of
/// memory, which ends the instance.
fn passed_at_once(glue: &str) -> Result<String> {
    let mut passed = String::with_capacity(glue.len());
    let mut lines = glue.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("        let ptr0, len0") {
            passed.push_str(line);
            passed.push('\n');
            continue;
        }
        ensure!(lines.next() == Some("        try {"), "the glue does not try to pass its arguments");
        for line in lines.by_ref().take_while(|line| *line != "        } catch (e) {") {
            let Some(value) = line.strip_prefix("            ") else {
                bail!("arguments are passed by `{line}`")
            };
            let is_argument = value.starts_with("ptr") || value.starts_with("len");
            ensure!(is_argument, "arguments are passed by `{line}`");
            passed.push_str(&format!("        const {value}\n"));
        }
        lines.by_ref().find(|line| *line == "        }").context("what is caught does not end")?;
    }
    Ok(passed)
}

/// Writes the imports as arrows, which a minifier makes shorter.
fn arrows(glue: &str) -> String {
    let arrow = |line: &str| {
        let (before, arguments) = line.split_once(" function(").or_else(|| line.split_once("(function("))?;
        let separator = &line[before.len()..=before.len()];
        let arguments = arguments.strip_suffix(") {")?;
        before.starts_with("        ").then(|| format!("{before}{separator}({arguments}) => {{"))
    };
    glue.lines().map(|line| arrow(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Glue as it is generated, one of each kind.
    const GENERATED: &str = include_str!("../fixtures/glue.js");

    #[track_caller]
    fn check(expected: &str) {
        let glue = trimmed(GENERATED).expect("the glue is as it used to be");
        assert!(glue.contains(expected), "there is no `{expected}`");
    }

    #[track_caller]
    fn check_refused(glue: &str) {
        assert!(glue != GENERATED, "nothing was changed");
        assert!(trimmed(glue).is_err(), "it was taken");
    }

    #[test]
    fn every_entry_into_the_wasm_is_guarded() {
        check("import { wasmCalls } from \"./wasm-calls.js\";\n");
        check("export function start(instance) {\n    wasm = wasmCalls.guard(instance.exports);\n");
    }

    #[test]
    fn imports_are_arrows_and_hand_over_what_they_throw() {
        check(": (arg0, arg1) => {\n            const ret = Error(getStringFromWasm0(arg0, arg1));\n");
        check(": handleError((arg0) => {\n            arg0.abort();\n        }),\n");
        check(
            ": (arg0) => {\n            const ret = arg0 instanceof Uint8Array;\n            return ret;\n",
        );
        check("const ret = arg0.crypto;\n            return optionalToExternrefTable0(ret);\n");
    }

    #[test]
    fn arguments_are_passed_one_after_the_other() {
        check(
            "        const ptr0 = passStringToWasm0(names);
        const len0 = WASM_VECTOR_LEN;
        const ptr1 = passArrayF64ToWasm0(numbers);
        const len1 = WASM_VECTOR_LEN;
        const ret = wasm.",
        );
    }

    #[test]
    fn glue_without_what_is_changed_is_refused() {
        for (text, _) in TEXTS {
            check_refused(&GENERATED.replace(text, "another();\n"));
        }
        for part in
            [LOADING, "    wasm = instance.exports;", "    free() {", "        try {\n            ptr0"]
        {
            check_refused(&GENERATED.replace(part, "another();\n"));
        }
    }

    #[test]
    fn glue_whose_functions_take_something_else_is_refused() {
        for name in
            ["getArrayU8FromWasm0", "getStringFromWasm0", "passArray8ToWasm0", "handleError", "isLikeNone"]
        {
            check_refused(
                &GENERATED.replace(&format!("function {name}("), &format!("function {name}(other, ")),
            );
        }
    }

    #[test]
    fn glue_that_enters_the_wasm_otherwise_is_refused() {
        check_refused(&GENERATED.replace("function initSync", "instance.exports.run();\nfunction initSync"));
        check_refused(&GENERATED.replace("    wasmModule = module;", "    wasmModule = module;\n    run();"));
    }

    #[test]
    fn glue_that_frees_an_engine_elsewhere_is_refused() {
        check_refused(
            &GENERATED
                .replace("    count(names, numbers) {", "    count(names, numbers) {\n        this.free();"),
        );
    }

    #[test]
    fn the_types_are_those_of_the_glue() {
        const FREED: &str = "class A {\n    free(): void;\n    [Symbol.dispose](): void;\n}\n";
        let types = trimmed_types(&format!("{FREED}{LOADING_TYPES}URL;\n"))
            .expect("the types are as they used to be");
        assert_eq!(types, format!("class A {{\n}}\n{START_TYPES}"));
        assert!(trimmed_types(FREED).is_err());
        assert!(trimmed_types(&format!("class A {{\n}}\n{LOADING_TYPES}URL;\n")).is_err());
    }
}
