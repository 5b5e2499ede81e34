//! Bad routes, as a stranger meets them: what each verb says, and that nothing is half done.

use super::stage::Stage;

/// A file with one route `a` that takes from `from` and has these steps.
fn file(from: &str, steps: &str) -> String {
    format!("version = 1\n[[route]]\nname = \"a\"\nfrom = {{ {from} }}\n{steps}")
}

const QUEUE: &str = "queue = \"q\"";
const LOG: &str = "[[route.step]]\nlog = { message = \"x\" }\n";

/// Asserts that both verbs refuse the file with this sentence, and that no store is made.
fn refused(content: &str, part: &str) {
    let stage = Stage::new();
    stage.write("r.toml", content);
    for args in [
        ["routes", "check", "r.toml"].as_slice(),
        &["run", "r.toml", "--until-idle"],
    ] {
        stage.run(args).refused(78, part);
    }
    assert!(!stage.path("longshore.db").exists(), "nothing was created");
}

#[test]
fn a_route_to_nowhere_is_a_warning_and_runs() {
    let stage = Stage::new();
    let step = "[[route.step]]\nforward = { queue = \"nowhere\" }\n";
    stage.write("r.toml", file(QUEUE, step));
    let checked = stage.run(&["routes", "check", "r.toml"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    let text = checked.text();
    assert!(text.contains("warning forward: r.toml:3"), "{text}");
    assert!(text.contains("the queue nowhere, which no route"), "{text}");
    stage.enqueue(&["q", "x"]);
    let ran = stage.run(&["run", "r.toml", "--until-idle"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(stage.queue("nowhere")["waiting"], 1);
}

#[test]
fn two_routes_of_one_name() {
    let two =
        file(QUEUE, LOG) + &format!("[[route]]\nname = \"a\"\nfrom = {{ queue = \"p\" }}\n{LOG}");
    refused(
        &two,
        "r.toml:8:8: there are two routes of the name \"a\", the other one at r.toml:3",
    );
}

#[test]
fn templates_over_what_does_not_exist() {
    let step = "[[route.step]]\nlog = { message = \"{{ bdy }}\" }\n";
    refused(
        &file(QUEUE, step),
        "r.toml:6:19: the template names \"bdy\", which does not exist; did you mean body?",
    );
    // Only a message can tell that a header is missing: then it is that message that dies.
    let stage = Stage::new();
    let step = "[[route.step]]\nlog = { message = \"{{ headers.width }}\" }\n";
    stage.write("r.toml", file(QUEUE, step));
    stage.enqueue(&["q", "x"]);
    stage.enqueue(&["q", "y", "--header", "width=7"]);
    let ran = stage.run(&["run", "r.toml", "--until-idle", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        (&ran.json()["acked"], &ran.json()["dead"]),
        (&1.into(), &1.into())
    );
    let dead = stage.json(&["dead", "list", "q", "--json"]);
    let error = dead[0]["error"].as_str().unwrap();
    assert!(
        error.contains("this message has no headers.width"),
        "{error}"
    );
}

#[test]
fn a_template_inside_a_script() {
    for command in [
        r#"["sh", "-c", "echo {{ body }}"]"#,
        r#"["bash", "-lc", "echo {{ id }}"]"#,
        r#"["env", "A=1", "sh", "-c", "echo {{ id }}"]"#,
        r#"["timeout", "5", "sh", "-ec", "echo {{ id }}"]"#,
        r#"["python3", "-c", "print({{ id }})"]"#,
        r#"["some-program-nobody-knows", "{{ id }}"]"#,
        r#"["true"], env = { LD_PRELOAD = "{{ id }}" }"#,
    ] {
        let step = format!("[[route.step]]\nexec = {{ command = {command} }}\n");
        refused(
            &file(QUEUE, &step),
            "may be taken for an option, a file or code; hand it over in vars",
        );
    }
    let step = "[[route.step]]\nexec = { command = [\"{{ body }}\"] }\n";
    refused(&file(QUEUE, step), "no message may choose what runs");
}

#[test]
fn a_missing_program_by_name_and_by_path() {
    for (program, reason) in [
        ("no-such-program-here", "is not on the PATH"),
        ("./no-such-tool.sh", "is not there"),
        ("/no/such/program", "is not there"),
    ] {
        let stage = Stage::new();
        let step = format!("[[route.step]]\nexec = {{ command = [\"{program}\"] }}\n");
        stage.write("r.toml", file(QUEUE, &step));
        let checked = stage.run(&["routes", "check", "r.toml"]);
        assert_eq!(checked.code, Some(5), "{}", checked.text());
        let expected = format!("r.toml:6:21: the program \"{program}\" {reason}");
        assert!(checked.text().contains(&expected), "{}", checked.text());
        stage.run(&["run", "r.toml"]).refused(78, &expected);
    }
}

#[test]
fn missing_files_and_folders_that_cannot_be_read() {
    let stage = Stage::new();
    // A link to itself: nobody can read it, no matter who runs this test.
    std::os::unix::fs::symlink("closed", stage.path("closed")).unwrap();
    for (pattern, reason) in [
        ("none/*.log", "there is no folder "),
        ("access.log", "there is no file access.log"),
        ("closed/*.log", "closed cannot be read: "),
    ] {
        for key in ["lines", "file"] {
            stage.write("r.toml", file(&format!("{key} = \"{pattern}\""), LOG));
            let checked = stage.run(&["routes", "check", "r.toml"]);
            assert_eq!(checked.code, Some(0), "a warning: {}", checked.stderr);
            assert!(checked.text().contains(reason), "{}", checked.text());
            let ran = stage.run(&["run", "r.toml", "--until-idle"]);
            assert_eq!(ran.code, Some(4), "{}", ran.stderr);
            let last = ran.stderr.lines().last().unwrap_or_default();
            assert!(last.contains(reason), "{}", ran.stderr);
        }
    }
}
