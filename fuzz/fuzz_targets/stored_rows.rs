//! See `concord_fuzz::stored_rows`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| concord_fuzz::stored_rows(data));

#[cfg(not(fuzzing))]
fn main() {
    concord_fuzz::run_files(concord_fuzz::stored_rows);
}
