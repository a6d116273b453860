//! The engine in the browser: the JavaScript surface of `ot-core`.

use wasm_bindgen::prelude::*;

/// The version of the engine, as its crate has it.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
