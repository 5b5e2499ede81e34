//! Runs a bench from its arguments to its exit code.

use super::args::{BenchArgs, Scenario};
use super::report::Report;
use super::session::Bench;
use super::{hand, scenario, show};
use crate::error::Result;
use crate::exit::Exit;
use crate::output::Stdout;
use crate::signals::Signals;

/// Measures the store at `url`, prints what came out, and says whether every message came out
/// exactly once.
///
/// A signal ends the worker processes and removes the scratch data.
pub(crate) async fn run(args: &BenchArgs, url: &str, json: bool, quiet: bool) -> Result<Exit> {
    if args.child {
        hand::child(url).await?;
        return Ok(Exit::Done);
    }
    let mut signals = Signals::listen()?;
    let bench = Bench::new(args, url, quiet)?;
    let measured = tokio::select! {
        report = measure(&bench, url) => report.map(Ok),
        exit = signals.next() => Ok(Err(exit)),
    };
    // What a run leaves on a server goes whatever came of it; an error of the run is told first.
    let cleared = bench.clear().await;
    let report = match measured? {
        Ok(report) => report,
        Err(exit) => return Ok(exit),
    };
    cleared?;
    if json {
        Stdout::json(&report)?;
    } else {
        Stdout::text(&show::show(&report))?;
    }
    Ok(if report.check.holds() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

async fn measure(bench: &Bench<'_>, url: &str) -> Result<Report> {
    let mut report = Report::new(bench.args, url, &bench.place);
    match bench.args.scenario {
        Scenario::Lifecycle | Scenario::Grouped => scenario::lifecycle(bench, &mut report).await?,
        Scenario::Steady => scenario::steady(bench, &mut report).await?,
        Scenario::Callers => scenario::callers(bench, &mut report).await?,
        Scenario::Flat => scenario::flat(bench, &mut report).await?,
        Scenario::Pickup => scenario::pickup(bench, &mut report).await?,
        Scenario::Memory => scenario::memory(bench, &mut report).await?,
        Scenario::Drain => scenario::drain(bench, &mut report).await?,
        Scenario::Idle => scenario::idle(bench, &mut report).await?,
        Scenario::Aggregate => scenario::aggregate(bench, &mut report).await?,
        Scenario::Space => scenario::space(bench, &mut report).await?,
    }
    Ok(report)
}
