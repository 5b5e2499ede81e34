//! Short forms of calls, for tests on the server's own clock.

mod calls;

#[allow(unused_imports, reason = "each test binary uses a part of this")]
pub(crate) use calls::{
    ack, bodies, delayed, fresh, given, grouped, open, opened, queue, stats, take, take_for,
    try_ack, try_open, try_take,
};
