//! Tests of the protocol from outside.
#![cfg(feature = "serde")]

mod decode;
mod encode;
mod history;
mod page;
