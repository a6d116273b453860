//! See `concord_fuzz::packed_page`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| concord_fuzz::packed_page(data));

#[cfg(not(fuzzing))]
fn main() {
    concord_fuzz::run_files(concord_fuzz::packed_page);
}
