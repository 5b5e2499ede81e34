//! Short forms of calls, for tests on the server's own clock.

mod calls;
mod plain;

pub(crate) use calls::{
    ack, bodies, delayed, fresh, given, grouped, open, opened, queue, stats, take, take_for,
    try_ack, try_open, try_take,
};
pub(crate) use plain::{
    assert_empty, bare_reads, clock_ms, names, number, settle, store_numbers, warm,
};
