//! `routes check`: what is wrong with a route file.

use longshore::core::{Finding, Severity};
use longshore_routes::{ConfigError, Graph};
use serde_json::{Value, json};

use crate::args::RouteFileArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, complain, counted, escape};
use crate::route_files;
use crate::session::Session;

pub(super) fn perform(args: &RouteFileArgs, session: &Session) -> Result<Exit> {
    match route_files::read(&args.file) {
        Ok(set) => sound(&set.graph(), &set.findings(), session),
        Err(mistakes) => refused(&mistakes, session),
    }
}

/// The files load; the findings may still say that a run would go wrong.
fn sound(graph: &Graph, findings: &[Finding], session: &Session) -> Result<Exit> {
    let problems = count(findings, Severity::Problem);
    if session.json() {
        let routes: Vec<Value> = graph
            .routes
            .iter()
            .map(|route| json!({ "name": route.name, "queue": route.queue, "on_error": route.policy }))
            .collect();
        Stdout::json(&json!({ "mistakes": [], "findings": findings, "routes": routes }))?;
    } else {
        let mut stdout = Stdout::lock();
        for route in &graph.routes {
            stdout.line(&escape::line(&format!(
                "ok route {}: on error {}",
                route.name, route.policy
            )))?;
        }
        for finding in findings {
            stdout.line(&line(finding))?;
        }
        stdout.line(&format!(
            "{}, {}, {}",
            counted(graph.routes.len() as u64, "route"),
            counted(problems, "problem"),
            counted(count(findings, Severity::Warning), "warning")
        ))?;
        stdout.finish()?;
    }
    Ok(match problems {
        0 => Exit::Done,
        _ => Exit::Problems,
    })
}

fn refused(mistakes: &[ConfigError], session: &Session) -> Result<Exit> {
    if session.json() {
        let rows: Vec<Value> = mistakes
            .iter()
            .map(|mistake| {
                json!({
                    "file": mistake.file.display().to_string(),
                    "line": mistake.line,
                    "column": mistake.column,
                    "message": mistake.message,
                    "hint": mistake.hint,
                })
            })
            .collect();
        Stdout::json(&json!({ "mistakes": rows, "findings": [], "routes": [] }))?;
    }
    for mistake in mistakes {
        complain(mistake);
    }
    if mistakes.len() == 1 {
        return Ok(Exit::Misconfigured);
    }
    let count = counted(mistakes.len() as u64, "mistake");
    Err(CliError::new(Exit::Misconfigured, format!("{count} found")))
}

fn count(findings: &[Finding], severity: Severity) -> u64 {
    findings
        .iter()
        .filter(|finding| finding.severity == severity)
        .count() as u64
}

fn line(finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Ok => "ok",
        Severity::Warning => "warning",
        _ => "PROBLEM",
    };
    let fix = if finding.fix.is_empty() {
        String::new()
    } else {
        format!("; {}", finding.fix)
    };
    escape::line(&format!("{word} {}: {}{fix}", finding.check, finding.found))
}
