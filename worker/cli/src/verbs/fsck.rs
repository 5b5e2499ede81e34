//! `fsck`: proves that each message is in exactly one state.

use std::num::NonZeroU32;

use longshore::core::{Backend, Census, QueueName, Severity};

use crate::args::FsckArgs;
use crate::error::{Result, told};
use crate::exit::Exit;
use crate::output::{Stdout, escape};
use crate::session::{Session, existing};
use crate::shape::FsckRow;

/// How many names are read at a time.
const PAGE: NonZeroU32 = NonZeroU32::MIN.saturating_add(499);

pub(super) async fn perform(args: FsckArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    let fsck = match backend.fsck() {
        Ok(fsck) => fsck.clone(),
        // A store that needs none is not in disorder.
        Err(unneeded) => {
            session.note(told(&unneeded));
            return Ok(Exit::Done);
        }
    };
    let names = match args.queue {
        Some(queue) => {
            existing(backend, &queue).await?;
            vec![queue]
        }
        None => names(backend).await?,
    };
    let mut rows = Vec::new();
    for name in names {
        // One that was created or removed meanwhile has nothing to prove.
        if let Some(census) = fsck.fsck(&name, args.repair).await? {
            rows.push((name, census));
        }
    }
    if session.json() {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, of)| FsckRow::of(name, of))
            .collect();
        Stdout::json(&rows)?;
    } else if rows.is_empty() {
        session.note("there are no queues yet");
    } else {
        let lines: Vec<_> = rows.iter().map(|(name, of)| text(name, of)).collect();
        Stdout::text(&lines.join("\n"))?;
    }
    let mut findings = rows.iter().flat_map(|(_, census)| &census.findings);
    Ok(if findings.any(|one| one.severity == Severity::Problem) {
        Exit::Problems
    } else {
        Exit::Done
    })
}

async fn names(backend: &Backend) -> Result<Vec<QueueName>> {
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = backend.admin.queues(after.as_ref(), PAGE).await?;
        names.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(names);
        }
    }
}

fn text(name: &QueueName, census: &Census) -> String {
    let mut lines = vec![format!(
        "{name}: {} waiting, {} delayed, {} leased, {} dead, {} settled and not swept yet",
        census.waiting, census.delayed, census.leased, census.dead, census.settled
    )];
    if census.repaired > 0 {
        lines.push(format!("  {} mended", census.repaired));
    }
    for finding in &census.findings {
        let word = match finding.severity {
            Severity::Ok => "ok      ",
            Severity::Warning => "warning ",
            _ => "PROBLEM ",
        };
        let (check, found) = (escape::line(&finding.check), escape::line(&finding.found));
        lines.push(format!("  {word} {check}: {found}"));
        if !finding.fix.is_empty() {
            lines.push(format!("            fix: {}", escape::line(&finding.fix)));
        }
    }
    lines.join("\n")
}
