//! The engine in the browser: [`engine`] behind `abi`, a surface of plain functions.
//!
//! The surface is written by hand: a generator of bindings costs two kilobytes of every download
//! and a minute of every first build. It is there in the browser only; elsewhere this crate is the
//! plain engine, with which reports of browsers are played again.

#[cfg(any(target_arch = "wasm32", test))]
#[allow(unsafe_code, reason = "an exported name counts as unsafe; nothing else here is")]
pub mod abi;
pub mod convert;
pub mod engine;
mod fields;
mod saved;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
