//! Writes modules of the wasm as scripts, for pages that cannot fetch: `everfold/inline`.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

/// The script that has the module of a name, which `ts/inlined.ts` imports.
pub fn script(name: &str) -> String {
    format!("inline_{name}.js")
}

/// Writes the script of a module, and its types, into a folder. It holds the module compressed with gzip, in base64: after
/// compression for the way that is as much as the module itself, where base64 alone would be a third more.
pub fn write(folder: &Path, name: &str, module: &[u8]) -> Result<()> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(module)?;
    let packed = STANDARD.encode(encoder.finish()?);
    let path = folder.join(script(name));
    fs::write(&path, format!("export const wasm = \"{packed}\";\n"))?;
    Ok(fs::write(path.with_extension("d.ts"), "export const wasm: string;\n")?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_script_has_the_module_in_it() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("everfold-inline-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let module = b"\0asm and what follows".repeat(100);
        write(&folder, "bg", &module)?;
        let text = fs::read_to_string(folder.join("inline_bg.js"))?;
        assert!(folder.join("inline_bg.d.ts").is_file());
        fs::remove_dir_all(&folder)?;
        let packed = text.strip_prefix("export const wasm = \"").and_then(|rest| rest.strip_suffix("\";\n"));
        let mut unpacked = Vec::new();
        let bytes = STANDARD.decode(packed.unwrap_or_default())?;
        GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked)?;
        assert_eq!(unpacked, module);
        Ok(())
    }
}
