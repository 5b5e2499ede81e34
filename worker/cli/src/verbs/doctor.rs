//! `doctor`: checks the store and what is stuck in it.

mod aggregate_checks;
mod fleet;
mod queue_checks;

use longshore::core::{Finding, Severity};

use crate::args::DoctorArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, escape};
use crate::session::Session;

pub(super) async fn perform(args: &DoctorArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    let mut findings = vec![Finding::new(
        Severity::Ok,
        "version",
        format!("longshore {}", env!("CARGO_PKG_VERSION")),
    )];
    let of_store = backend.admin.check().await?;
    // What holds a queue up is told below, once, with how long it has been so.
    findings.extend(
        of_store
            .into_iter()
            .filter(|one| !one.check.starts_with("queue ")),
    );
    let workers = backend.admin.workers().await?;
    findings.extend(fleet::check(&workers));
    let now = connection.clock().now();
    findings.extend(queue_checks::check(backend, &workers, now).await?);
    findings.extend(aggregate_checks::check(backend, &workers, now).await?);
    if session.json() {
        Stdout::json(&findings)?;
    } else {
        Stdout::text(&text(&findings))?;
    }
    let problems = findings
        .iter()
        .filter(|one| match one.severity {
            Severity::Ok => false,
            Severity::Warning => args.strict,
            _ => true,
        })
        .count();
    Ok(if problems == 0 {
        Exit::Done
    } else {
        Exit::Problems
    })
}

fn text(findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    for finding in findings {
        let word = match finding.severity {
            Severity::Ok => "ok      ",
            Severity::Warning => "warning ",
            _ => "PROBLEM ",
        };
        lines.push(format!(
            "{word} {}: {}",
            escape::line(&finding.check),
            escape::line(&finding.found)
        ));
        if !finding.fix.is_empty() {
            lines.push(format!("          fix: {}", escape::line(&finding.fix)));
        }
    }
    lines.join("\n")
}
