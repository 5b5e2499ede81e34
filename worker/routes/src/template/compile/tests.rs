//! Tests of `compile`.

use super::*;
use crate::template::data::tests::{data, message};

fn rendered(source: &str, body: &str, flavour: Flavour) -> Result<String, String> {
    let template =
        Template::new(source, source, flavour).map_err(|error| format!("load: {error}"))?;
    let message = message(&[("width", "640"), ("bill", "yes"), ("x", "a/b c?&ä")]);
    template
        .render(&data(&message, body.as_bytes()))
        .map_err(|failure| failure.to_string())
}

fn plain(source: &str, body: &str) -> Result<String, String> {
    rendered(source, body, Flavour::Plain)
}

#[test]
fn what_is_not_there_is_named() {
    let error = plain("{{ headers.width }} {{ headers.nope }}", "").unwrap_err();
    assert!(
        error.contains("this message has no headers.nope; write {{ headers.nope | default("),
        "{error}"
    );
    let error = plain("{{ body.a.b }}", r#"{"a":{}}"#).unwrap_err();
    assert!(error.contains("has no body.a.b;"), "{error}");
    assert_eq!(plain("{{ headers.nope | default('d') }}", "").unwrap(), "d");
}

#[test]
fn values_come_from_the_message() {
    assert_eq!(
        plain("{{ headers.width }}x{{ attempt }}", "").unwrap(),
        "640x3"
    );
    assert_eq!(
        plain("{{ body.user.name }}", r#"{"user":{"name":"Ä"}}"#).unwrap(),
        "Ä"
    );
    for text in [
        "no json",
        "1.10",
        "1e5",
        "-0",
        "007",
        "99999999999999999999999",
    ] {
        assert_eq!(plain("{{ body }}", text).unwrap(), text);
    }
    assert_eq!(plain("{{ body + 1 }}", "41").unwrap(), "42");
    assert_eq!(
        plain("{{ body }}", r#"{"b":1,"a":[true,null]}"#).unwrap(),
        r#"{"a":[true,null],"b":1}"#
    );
    assert_eq!(
        plain("{{ queue }}/{{ kind }}/{{ group }}", "").unwrap(),
        "images/message/"
    );
    assert_eq!(plain("{{ headers.bill == 'yes' }}", "").unwrap(), "true");
    assert_eq!(
        plain("{{ headers.nobody | default('') == 'yes' }}", "").unwrap(),
        "false"
    );
    assert_eq!(
        plain("{{ headers.nobody | default('-') }}", "").unwrap(),
        "-"
    );
    assert_eq!(plain("no placeholder", "").unwrap(), "no placeholder");
}

#[test]
fn what_is_not_there_is_an_error_and_not_nothing() {
    for source in [
        "{{ headers.nobody }}",
        "{{ headers.nobody == 'yes' }}",
        "{{ body.no }}",
        "{{ body.no.deeper }}",
    ] {
        let error = plain(source, "{}").unwrap_err();
        assert!(error.contains("this message has no "), "{source}: {error}");
    }
    let template = Template::new("{{ body }}", "", Flavour::Plain).unwrap();
    let message = message(&[]);
    let failure = template.render(&data(&message, b"\xff")).unwrap_err();
    assert!(failure.is_permanent());
    assert_eq!(failure.labelled().as_str(), "template");
}

#[test]
fn unknown_names_are_refused_at_load_with_the_nearest() {
    assert!(
        plain("{{ heders.x }}", "")
            .unwrap_err()
            .contains("did you mean headers?")
    );
    assert!(
        plain("{{ epoch }}", "")
            .unwrap_err()
            .contains("not supported yet")
    );
    assert!(
        plain("{{ quite_other }}", "")
            .unwrap_err()
            .contains("there are body")
    );
    assert!(plain("{{ body", "").unwrap_err().starts_with("load: "));
    assert!(plain("{% for x in range(2) %}{{ x }}{% endfor %}", "").is_ok());
}

#[test]
fn each_value_of_a_url_is_encoded() {
    let url = rendered(
        "https://h/{{ headers.x }}?q={{ body.q }}",
        r#"{"q":"1&2"}"#,
        Flavour::Url,
    );
    assert_eq!(url.unwrap(), "https://h/a%2Fb%20c%3F%26%C3%A4?q=1%262");
}

#[test]
fn a_value_of_a_path_is_one_segment() {
    let path = |body: &str| rendered("out/{{ body.p }}.txt", body, Flavour::Path);
    assert_eq!(path(r#"{"p":"a-b"}"#).unwrap(), "out/a-b.txt");
    for bad in ["../x", "a/b", "..", ".", "", "a\\b", "a\\u0000"] {
        let body = format!(
            r#"{{"p":"{}"}}"#,
            bad.replace('\\', "\\\\").replace("\\\\u", "\\u")
        );
        assert!(path(&body).is_err(), "{bad}");
    }
}

#[test]
fn endless_templates_run_dry() {
    let source =
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
    assert!(plain(source, "").unwrap_err().contains("fuel"));
}

#[test]
fn a_condition_is_true_or_false_and_nothing_else() {
    let message = message(&[]);
    let holds = |source: &str| {
        let template = Template::new(source, source, Flavour::Plain).unwrap();
        template.holds(&data(&message, b"{\"n\":1}"))
    };
    assert!(holds("{{ body.n == 1 }}").unwrap());
    assert!(!holds("{{ body.n == 2 }}").unwrap());
    assert!(!holds("{% if false %}true{% endif %}").unwrap());
    assert!(holds("{{ body.n }}").is_err());
}
