//! `bench`: a store against the raw floor of its own driver.

use crate::bench::{self, BenchArgs};
use crate::error::Result;
use crate::exit::Exit;
use crate::session::Session;

pub(super) async fn perform(args: BenchArgs, session: &Session) -> Result<Exit> {
    let url = session.store()?.url.to_string();
    Box::pin(bench::run(&args, &url, session.json(), session.quiet())).await
}
