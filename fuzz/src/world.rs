//! The simulated world, driven by bytes.

use collab_server::simulation::{Bytes, Watch, run};

/// A run that uses more bytes finds nothing that a shorter one does not.
const BYTES_MAX: usize = 4_096;

/// The whole simulated world, with every choice made by the bytes: see
/// [`collab_server::simulation`].
pub fn simulation(data: &[u8]) {
    let data = &data[..data.len().min(BYTES_MAX)];
    if let Err(violation) = run(&mut Bytes::new(data), Watch::default()) {
        panic!("{}: {}", violation.oracle, violation.message);
    }
}
