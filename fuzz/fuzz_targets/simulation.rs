//! See `concord_fuzz::simulation`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| concord_fuzz::simulation(data));

#[cfg(not(fuzzing))]
fn main() {
    concord_fuzz::run_files(concord_fuzz::simulation);
}
