//! What happened: always as a hash, and as text where somebody wants to read it.

use std::cell::RefCell;
use std::fmt::{self, Write};

/// Lines kept; the oldest go.
const LINES_MAX: usize = 4_000;

#[derive(Default)]
struct Trace {
    keeps: bool,
    lines: Vec<String>,
}

thread_local! {
    // Outside the world, so that it can be read after a panic.
    static TRACE: RefCell<Trace> = RefCell::default();
}

pub(super) fn begin(keeps: bool) {
    TRACE.with_borrow_mut(|trace| *trace = Trace { keeps, lines: Vec::new() });
}

pub(super) fn take() -> Vec<String> {
    TRACE.with_borrow_mut(|trace| std::mem::take(&mut trace.lines))
}

/// FNV-1a over everything noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Hash(0xCBF2_9CE4_8422_2325)
    }
}

impl Hash {
    pub(super) fn get(self) -> u64 {
        self.0
    }

    pub(super) fn note(&mut self, now: u64, what: fmt::Arguments<'_>) {
        write!(self, "{now} {what}").expect("hashing does not fail");
        TRACE.with_borrow_mut(|trace| {
            if trace.keeps {
                if trace.lines.len() == LINES_MAX {
                    trace.lines.remove(0);
                }
                trace.lines.push(format!("{now:>7} ms  {what}"));
            }
        });
    }
}

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        }
        Ok(())
    }
}
