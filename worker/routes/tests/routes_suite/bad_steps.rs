//! Wrong steps and error clauses, and the line that each gets.

use crate::refusals::{ROUTE, STEP, check, check_steps, errors};

#[test]
#[expect(clippy::too_many_lines, reason = "a table: one row for each mistake")]
fn steps_do_one_thing_and_do_it_safely() {
    check_steps(&[
        (
            "[[route.step]]\nwhen = 'true'\n",
            "r.toml:4:1: the step does nothing; it needs one of exec, http, forward, file, log, aggregate",
        ),
        (
            "[[route.step]]\nlog = { message = 'x' }\nfile = { path = 'x' }\n",
            "r.toml:5:1: a step does one thing, here are file and log; write a second [[route.step]]",
        ),
        (
            "[[route.step]]\nexec = { command = 'true' }\n",
            "r.toml:5:20: command is a list of strings, found string; no shell splits it: write [\"program\", \"argument\"]",
        ),
        (
            "[[route.step]]\nexec = { command = [] }\n",
            "r.toml:5:20: command is empty",
        ),
        (
            "[[route.step]]\nexec = { command = ['{{ body }}'] }\n",
            "r.toml:5:21: the program itself cannot be a template: no message may choose what runs",
        ),
        (
            "[[route.step]]\nexec = { command = ['sh', '-c', 'echo {{ body }}'] }\n",
            "r.toml:5:33: no message may choose what a program does: a value in command or env may be taken for an option, a file or code; hand it over in vars (LONGSHORE_VAR_NAME) or on stdin, or say values_in_arguments = true",
        ),
        (
            "[[route.step]]\nexec = { command = ['true'], vars = { 'a b' = 'x' } }\n",
            "r.toml:5:39: \"a b\" is not a name of letters, digits and _",
        ),
        (
            "[[route.step]]\nexec = { command = ['true'], vars = { a = 'x', A = 'y' } }\n",
            "r.toml:5:48: LONGSHORE_VAR_A is named twice",
        ),
        (
            "[[route.step]]\nexec = { command = ['true'], env = { LONGSHORE_ID = 'x' } }\n",
            "r.toml:5:38: names with LONGSHORE_ are set by the worker",
        ),
        (
            "[[route.step]]\nexec = { command = ['true'], cwd = 'no/such' }\n",
            "r.toml:5:36: cwd is not a directory",
        ),
        (
            "[[route.step]]\nlog = { message = '{{ bdy }}' }\n",
            "r.toml:5:19: the template names \"bdy\", which does not exist; did you mean body?",
        ),
        (
            "[[route.step]]\nlog = { message = '{{ epoch }}' }\n",
            "r.toml:5:19: epoch is not supported yet",
        ),
        (
            "[[route.step]]\nlog = { message = '{{ body ' }\n",
            "r.toml:5:19: syntax error: unexpected end of input, expected end of variable block",
        ),
        (
            "[[route.step]]\nhttp = { timeout = '1s' }\n",
            "r.toml:5:8: the http step has no URL; write get, post, put, patch or delete = \"https://…\"",
        ),
        (
            "[[route.step]]\nhttp = { get = 'http://h/', put = 'http://h/' }\n",
            "r.toml:5:29: an http step makes one request, here are get and put",
        ),
        (
            "[[route.step]]\nhttp = { get = '{{ body.url }}' }\n",
            "r.toml:5:16: the URL must begin with http:// or https://",
        ),
        (
            "[[route.step]]\nhttp = { get = 'http://[::x]/' }\n",
            "r.toml:5:16: \"http://[::x]/\" is not a URL",
        ),
        (
            "[[route.step]]\nforward = { queue = 'p', store = 'nowhere' }\n",
            "r.toml:5:34: there is no store \"nowhere\"; add [stores.nowhere] with its url",
        ),
        (
            "[[route.step]]\nfile = { path = '{{ body }}' }\n",
            "r.toml:5:17: path must begin with a folder or a name that is written out",
        ),
        (
            "[[route.step]]\nfile = { path = 'a/../{{ body }}' }\n",
            "r.toml:5:17: path may not go up (..) where values stand in it",
        ),
        (
            "[[route.step]]\nfile = { path = 'out/' }\n",
            "r.toml:5:17: path names no file",
        ),
        (
            "[[route.step]]\nfile = { path = 'out', mode = 'write' }\n",
            "r.toml:5:31: mode: \"write\" is not one of \"append\", \"replace\"",
        ),
    ]);
}

#[test]
fn clauses_do_one_thing() {
    let clause = |keys: &str| format!("{STEP}[[route.on_error]]\n{keys}");
    check_steps(&[
        (
            &clause("redeliveries = 1\n"),
            "r.toml:6:1: an error clause needs the key \"match\"",
        ),
        (
            &clause("match = 'http..5'\nredeliveries = 1\n"),
            "r.toml:7:9: match: label \"http..5\" is not valid: it must be dotted segments of letters, digits, _ and -, such as http.503",
        ),
        (
            &clause("match = 'http'\n"),
            "r.toml:6:1: the clause changes nothing; set redeliveries, a delay, handled, continued, forward or dead_letter",
        ),
        (
            &clause("match = 'http'\nhandled = true\ncontinued = true\n"),
            "r.toml:9:1: continued excludes handled: a clause does one thing",
        ),
        (
            &clause("match = 'http'\nhandled = true\nredeliveries = 3\n"),
            "r.toml:9:1: redeliveries has no effect beside handled, which is done at the first failure",
        ),
        (
            &clause("match = 'http'\ndead_letter = 'later'\n"),
            "r.toml:8:15: dead_letter: \"later\" is not one of \"now\"",
        ),
        (
            &clause("match = 'http'\nforward = { queue = 'p', store = 's' }\n"),
            "r.toml:8:34: there is no store \"s\"; add [stores.s] with its url",
        ),
    ]);
}

#[test]
fn no_two_clauses_of_a_scope_take_one_label() {
    let two = "[[route.on_error]]\nmatch = 'http'\nredeliveries = 1\n\
        [[route.on_error]]\nmatch = 'http'\nhandled = true\n";
    check_steps(&[(
        &format!("{STEP}{two}"),
        "r.toml:10:9: two clauses take \"http\", the other one at r.toml:6; write what they set into one clause",
    )]);
    let global = two.replace("route.on_error", "on_error");
    check(&[(
        &format!("{global}{ROUTE}{STEP}"),
        "r.toml:5:9: two clauses take \"http\", the other one at r.toml:1; write what they set into one clause",
    )]);
    let one = "[[on_error]]\nmatch = 'http'\nredeliveries = 1\n";
    let both = format!(
        "{one}{ROUTE}{STEP}{}",
        one.replace("on_error", "route.on_error")
    );
    assert_eq!(errors(&both), [""; 0], "one of all routes, one of a route");
}

#[test]
fn every_wrong_template_and_script_is_told() {
    let text = format!(
        "{ROUTE}[[route.step]]\nwhen = '{{{{ a }}}}'\nlog = {{ message = '{{{{ b }}}}' }}\n\
         [[route.step]]\nexec = {{ command = ['sh', '-c', '{{{{ c }}}}', '{{{{ d }}}}'], env = {{ E = '{{{{ e }}}}' }}, values_in_arguments = true }}\n\
         [[route.step]]\nhttp = {{ get = 'http://h/{{{{ f }}}}', headers = {{ G = '{{{{ g }}}}' }} }}\n\
         [[route]]\nname = 'b'\nfrom = {{ queue = 'b' }}\n\
         [[route.step]]\nlog = {{ message = '{{{{ id | uper }}}}' }}\n"
    );
    let names: Vec<_> = errors(&text)
        .iter()
        .map(|error| error.split(['"', ';']).nth(1).unwrap_or(error).to_owned())
        .collect();
    let expected = ["a", "b", "c", "d", "e", "f", "g", "uper"];
    assert_eq!(names, expected, "{:#?}", errors(&text));
}
