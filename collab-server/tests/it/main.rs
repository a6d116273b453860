//! Tests of the running server over real sockets.

mod guests;
mod limits;
mod messages;
mod rest;
mod sessions;
mod shutdown;
mod support;
