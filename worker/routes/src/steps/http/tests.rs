//! Tests of `http`.

use super::*;

#[test]
fn the_authority_ends_at_the_path() {
    let rows = [
        ("https://cdn.example/{{ id }}", "cdn.example"),
        ("http://{{ headers.host }}/x", "{{ headers.host }}"),
        ("http://{{ a / b }}.x/y", "{{ a / b }}.x"),
        ("http://h?{{ id }}", "h"),
        ("http://h", "h"),
    ];
    for (url, expected) in rows {
        assert_eq!(authority(url), Ok(expected), "{url}");
    }
    assert!(authority("{{ body.url }}").is_err());
    assert!(authority("ftp://h/").is_err());
}

#[test]
fn odd_forms_of_an_address_are_seen_through() {
    let refused = [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://127.1/",
    ];
    for url in refused {
        assert!(!named_or_public(&Url::parse(url).unwrap()), "{url}");
    }
    assert!(named_or_public(&Url::parse("http://example.com/").unwrap()));
    assert!(named_or_public(&Url::parse("http://1.1.1.1/").unwrap()));
}

#[test]
fn paths_that_climb_are_seen_in_every_spelling() {
    let climbing = [
        "http://h/a/../b",
        "http://h/a/..",
        "http://h/a/./b",
        "http://h/a/%2e%2e/b",
        "http://h/a/.%2E/b",
        "http://h/a\\..\\b",
        "http://h/a/x%2f..%2fy",
        "http://h/a/..?q=1",
    ];
    for url in climbing {
        assert!(climbs(url), "{url}");
    }
    let fine = [
        "http://h/a/...",
        "http://h/a..b/.c",
        "http://..h/a",
        "http://h/a?q=/../",
        "http://h/%252e%252e/",
    ];
    for url in fine {
        assert!(!climbs(url), "{url}");
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = Timestamp::from_millis(1_445_412_480_000 - 90_000);
    let parsed = |text| retry_after(Some(&HeaderValue::from_static(text)), now);
    assert_eq!(parsed("7"), Some(Duration::from_secs(7)));
    assert_eq!(
        parsed("Wed, 21 Oct 2015 07:28:00 GMT"),
        Some(Duration::from_secs(90))
    );
    assert_eq!(parsed("soon"), None);
    assert_eq!(retry_after(None, now), None);
}

#[test]
fn which_refusals_may_pass() {
    for code in [408, 425, 429, 500, 503, 599] {
        assert!(may_pass(StatusCode::from_u16(code).unwrap()), "{code}");
    }
    for code in [301, 400, 401, 404, 410, 422] {
        assert!(!may_pass(StatusCode::from_u16(code).unwrap()), "{code}");
    }
}
