//! See `concord_fuzz::message_decode`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| concord_fuzz::message_decode(data));

#[cfg(not(fuzzing))]
fn main() {
    concord_fuzz::run_files(concord_fuzz::message_decode);
}
