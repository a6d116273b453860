//! `xtask-bindgen <engine.wasm> <folder>` writes `wasm_client.js`, `wasm_client.d.ts` and `wasm_client_bg.wasm` into the folder.
//!
//! One variant serves every user: target `web` names the wasm as `new URL('wasm_client_bg.wasm', import.meta.url)`, which
//! Turbopack, webpack and Vite understand, and it also accepts the bytes themselves, which is how Node tests load it.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(wasm), Some(folder)) = (args.next(), args.next()) else {
        eprintln!("usage: xtask-bindgen <engine.wasm> <folder>");
        return ExitCode::FAILURE;
    };
    match write_bindings(&wasm, &folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write the bindings of {wasm}: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn write_bindings(wasm: &str, folder: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name("wasm_client")
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.generate(folder)?;
    Ok(())
}
