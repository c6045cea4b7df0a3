//! Runs one compiled wasm test file in the browser whose driver the environment names: what cargo calls for
//! the tests of `wasm32-unknown-unknown`. It is wasm-bindgen's own runner, pinned by our lock file, so that
//! runner and library are always of one version.

fn main() -> anyhow::Result<()> {
    env_logger::init();
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
