//! Short forms of calls, for tests on the server's own clock.

mod calls;

pub(crate) use calls::{
    ack, bodies, delayed, fresh, given, grouped, open, opened, queue, stats, take, take_for,
    try_ack, try_open, try_take,
};
