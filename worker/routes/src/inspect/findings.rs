//! What `routes check` says about files that can be loaded.

use std::collections::BTreeSet;

use longshore_core::{ErrorPolicy, Finding, Severity};

use crate::RouteSet;
use crate::intake::unreadable;
use crate::load::read::shown_span;
use crate::model::labels::never_matches;
use crate::model::route::Route;
use crate::steps::Action;

impl RouteSet {
    /// What should be looked at: programs that are not there (problems), and what is allowed but
    /// probably not meant (warnings).
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<_> = self
            .missing_programs(&[])
            .into_iter()
            .map(|error| Finding::new(Severity::Problem, "program", error.to_string()))
            .collect();
        if self.0.routes.is_empty() {
            let problems = self.no_route().into_iter();
            findings.extend(problems.map(|error| {
                Finding::new(Severity::Problem, "routes", error.message).fix(error.hint)
            }));
        }
        self.open_files(&mut findings);
        self.only_kinds(&mut findings);
        self.nowhere(&mut findings);
        self.loops(&mut findings);
        for route in &self.0.routes {
            nothing_to_read(route, &mut findings);
            idle_clauses(route, &mut findings);
            cut_delay(route, &mut findings);
            long_step(route, &mut findings);
            values_that_run(route, &mut findings);
            short_retries(route, &mut findings);
        }
        findings
    }

    /// Files that everybody may write: they say which programs run here.
    fn open_files(&self, findings: &mut Vec<Finding>) {
        for file in &self.0.writable_by_all {
            let found = format!(
                "{}: everybody on this host may write the file, and so choose what runs",
                file.display()
            );
            let fix = format!("chmod o-w {}", file.display());
            findings.push(warning("permissions", found).fix(fix));
        }
    }

    /// Queues whose routes all name a kind: another kind is worked by nobody.
    fn only_kinds(&self, findings: &mut Vec<Finding>) {
        let queues: BTreeSet<_> = self.0.routes.iter().map(|route| &route.queue).collect();
        for queue in queues {
            let mut routes = self.0.routes.iter().filter(|route| route.queue == *queue);
            let Some(first) = routes.clone().next() else {
                continue;
            };
            if routes.all(|route| route.kind.is_some()) {
                let found = format!(
                    "{}: the queue {queue} has routes for some kinds only; a message of another kind waits forever",
                    first.place
                );
                let fix = "give each kind a queue of its own, or add a route without a kind";
                findings.push(warning("kinds", found).fix(fix));
            }
        }
    }

    /// Forwards to queues that no route here consumes.
    fn nowhere(&self, findings: &mut Vec<Finding>) {
        let consumed: BTreeSet<_> = self.0.routes.iter().map(|route| &route.queue).collect();
        for route in &self.0.routes {
            let targets: BTreeSet<_> = route.targets().into_iter().collect();
            for (queue, store) in targets {
                if store.is_none() && !consumed.contains(queue) {
                    let found = format!(
                        "{}: the route {} forwards to the queue {queue}, which no route of these files consumes",
                        route.place, route.name
                    );
                    findings
                        .push(warning("forward", found).fix("make sure that another process does"));
                }
            }
        }
    }

    /// Routes whose messages can come back to them forever.
    fn loops(&self, findings: &mut Vec<Finding>) {
        for route in &self.0.routes {
            let mut reached = BTreeSet::new();
            let mut next = vec![route];
            while let Some(one) = next.pop() {
                for (queue, store) in one.targets() {
                    if store.is_none() && reached.insert(queue) {
                        next.extend(self.0.routes.iter().filter(|other| other.queue == *queue));
                    }
                }
            }
            if reached.contains(&route.queue) {
                let found = format!(
                    "{}: what the route {} forwards can come back to its own queue {}",
                    route.place, route.name, route.queue
                );
                findings.push(warning("loop", found).fix("make sure that a condition ends it"));
            }
        }
    }
}

fn warning(check: &str, found: String) -> Finding {
    Finding::new(Severity::Warning, check, found)
}

/// A route that asks another service and keeps the six seconds of the default policy.
fn short_retries(route: &Route, findings: &mut Vec<Finding>) {
    // A store that is away is not charged to the message, so a forward waits for it anyway.
    let asks = |action: &Action| matches!(action, Action::Http(_));
    let default = ErrorPolicy::default();
    let keeps = route.policy.span() == default.span() && route.policy.clauses.is_empty();
    if keeps && route.steps.iter().any(|step| asks(&step.action)) {
        let found = format!(
            "{}: the route {} asks another service and gives up after {}, which is less than one takes to start again",
            route.place,
            route.name,
            shown_span(default.span())
        );
        let fix = "give it a policy with more redeliveries and growing delays, as `longshore init` writes one";
        findings.push(warning("retries", found).fix(fix));
    }
}

/// Programs that run their arguments, where a message has a say in these.
fn values_that_run(route: &Route, findings: &mut Vec<Finding>) {
    for step in &route.steps {
        if let Action::Exec(exec) = &step.action
            && let Some(program) = exec.runs_values()
        {
            let found = format!(
                "{}: {program} runs what stands in its arguments, and a message has a say in them",
                route.place
            );
            findings.push(warning("arguments", found).fix("hand the value over in vars"));
        }
    }
}

/// An intake whose files or folder are not there, or may not be read.
fn nothing_to_read(route: &Route, findings: &mut Vec<Finding>) {
    if let Some(reason) = route.intake.glob().and_then(unreadable) {
        let found = format!(
            "{}: the route {} reads nothing now: {reason}",
            route.place, route.name
        );
        findings.push(warning("intake", found).fix("make it, or correct the pattern"));
    }
}

/// Clauses that can never decide about a failure of this route.
fn idle_clauses(route: &Route, findings: &mut Vec<Finding>) {
    for (clause, place) in route.policy.clauses.iter().zip(&route.clauses) {
        let Some(reason) = never_matches(route, &clause.pattern, clause.at_route) else {
            continue;
        };
        let found = format!(
            "{place}: no failure ever has the label {:?}: {reason}",
            clause.pattern.as_str()
        );
        let finding = warning("on_error", found);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
}

/// A delay that the cap cuts, which is easily overlooked: the cap is 1m unless it is set.
fn cut_delay(route: &Route, findings: &mut Vec<Finding>) {
    let policy = &route.policy;
    let changed = policy
        .clauses
        .iter()
        .map(|clause| policy.with(&clause.change));
    for policy in std::iter::once(policy.clone()).chain(changed) {
        if policy.delays.is_none() && policy.delay > policy.delay_max {
            let found = format!(
                "{}: a delay of {} in the route {} is cut to delay_max, which is {}",
                route.place,
                shown_span(policy.delay),
                route.name,
                shown_span(policy.delay_max)
            );
            findings.push(warning("delay", found).fix("set delay_max, too"));
            return;
        }
    }
}

/// A step that may take longer than all steps together.
fn long_step(route: &Route, findings: &mut Vec<Finding>) {
    for step in &route.steps {
        let timeout = match &step.action {
            Action::Exec(step) => step.timeout(),
            Action::Http(step) => step.timeout(),
            _ => continue,
        };
        if timeout > route.timeout {
            let found = format!(
                "{}: a step of the route {} may take {}, but all steps together only {}",
                route.place,
                route.name,
                shown_span(timeout),
                shown_span(route.timeout)
            );
            findings.push(warning("timeout", found).fix("raise the timeout of the route"));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::assemble::load_text;

    fn found(routes: &str) -> Vec<String> {
        let set = load_text(routes, std::path::Path::new("/")).unwrap();
        let findings = set.findings().into_iter();
        findings
            .map(|one| format!("{}: {}", one.check, one.found))
            .collect()
    }

    const STEP: &str = "[[route.step]]\nlog = { message = 'x' }\n";

    #[test]
    fn a_sound_file_has_no_findings() {
        let file = format!("[[route]]\nname = 'a'\nfrom = {{ queue = 'q' }}\n{STEP}");
        assert_eq!(found(&file), [""; 0]);
    }

    #[test]
    fn routes_to_nowhere_loops_and_kinds_are_told() {
        let file = "[[route]]\nname = 'a'\nfrom = { queue = 'q', kind = 'k' }\n\
            [[route.step]]\nforward = { queue = 'nobody' }\n\
            [[route.step]]\nforward = { queue = 'q' }\n";
        assert_eq!(
            found(file),
            [
                "kinds: r.toml:2: the queue q has routes for some kinds only; a message of another kind waits forever",
                "forward: r.toml:2: the route a forwards to the queue nobody, which no route of these files consumes",
                "loop: r.toml:2: what the route a forwards can come back to its own queue q",
            ]
        );
    }

    #[test]
    fn a_request_that_gives_up_within_seconds_is_told() {
        let route = "[[route]]\nname = 'a'\nfrom = { queue = 'q' }\n\
            [[route.step]]\nhttp = { get = 'http://h/' }\n";
        let told = found(route);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("retries: r.toml:2: the route a asks"),
            "{told:?}"
        );
        let patient = format!("{route}[route.policy]\nredeliveries = 20\n");
        assert_eq!(found(&patient), [""; 0]);
    }

    #[test]
    fn an_intake_that_can_read_nothing_is_told() {
        let rows = [
            ("/none/*.log", "there is no folder /none"),
            ("/no.log", "there is no file /no.log"),
            ("/dev/null/*", "/dev/null cannot be read: "),
        ];
        for (pattern, reason) in rows {
            let file = format!("[[route]]\nname = 'a'\nfrom = {{ lines = '{pattern}' }}\n{STEP}");
            let found = found(&file);
            assert_eq!(found.len(), 1, "{pattern}: {found:?}");
            let expected = format!("intake: r.toml:2: the route a reads nothing now: {reason}");
            assert!(found[0].starts_with(&expected), "{found:?}");
        }
    }

    #[test]
    fn clauses_that_never_match_are_told_with_the_reason() {
        let rows = [
            ("htpp.503", "did you mean \"http\"?"),
            ("http.5", "whole segments"),
            ("http.conect", "did you mean http.connect?"),
            ("exec.exit.1", "the route has no exec step"),
            ("file.io", "the route has no file step"),
            ("forward.gone", "the route has no forward step"),
            ("template.x", "no further segments"),
            ("weather", "labels begin with"),
        ];
        for (label, reason) in rows {
            let file = format!(
                "[[route]]\nname = 'a'\nfrom = {{ queue = 'q' }}\n\
                 [[route.step]]\nhttp = {{ get = 'http://h/' }}\n\
                 [[route.on_error]]\nmatch = '{label}'\nredeliveries = 1\n"
            );
            let found = found(&file);
            assert_eq!(found.len(), 1, "{label}: {found:?}");
            assert!(found[0].contains(reason), "{label}: {found:?}");
        }
    }

    #[test]
    fn a_missing_program_is_a_problem() {
        let file = "[[route]]\nname = 'a'\nfrom = { queue = 'q' }\n\
            [[route.step]]\nexec = { command = ['no-such-program-here'] }\n";
        let set = load_text(file, std::path::Path::new("/")).unwrap();
        let findings = set.findings();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Problem);
        assert_eq!(
            findings[0].found,
            "r.toml:5:21: the program \"no-such-program-here\" is not on the PATH"
        );
    }
}
