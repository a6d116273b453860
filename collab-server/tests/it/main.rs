//! Tests of the running server over real sockets, and of each store against one contract.

mod audit;
mod converge;
mod fallback;
mod faults;
mod guests;
mod history;
mod kill;
mod limits;
mod load;
mod long_history;
mod messages;
mod page;
mod program;
mod rest;
mod rights;
mod rolling;
mod security;
mod sessions;
mod sharing;
mod shutdown;
mod store_contract;
mod support;
mod tls;
mod tokens;
mod tools;
mod trace;
