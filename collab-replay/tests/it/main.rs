//! Reports of browsers, played against the engine.

mod hostile;
mod reports;
