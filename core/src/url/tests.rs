use super::*;

fn url(text: &str) -> StoreUrl {
    text.parse().unwrap()
}

#[test]
fn parts_are_split_and_decoded() {
    let redis = url("redis://ann:s%40cret@h1:6379,h2/3?ack=fsync");
    assert_eq!(
        (redis.user(), redis.password()),
        (Some("ann"), Some("s@cret"))
    );
    assert_eq!(redis.hosts(), ["h1:6379", "h2"]);
    assert_eq!((redis.path(), redis.query("ack")), ("/3", Some("fsync")));
    assert_eq!(url("sqlite://./rel.db").path(), "./rel.db");
    assert_eq!(url("sqlite:///abs/q.db?sync=normal").path(), "/abs/q.db");
    assert_eq!(url("sqlite://./a:b@c.db").path(), "./a:b@c.db");
    assert_eq!(url("redis+unix:///run/a@b.sock").path(), "/run/a@b.sock");
    assert_eq!(url("memory://name").hosts(), ["name"]);
    assert_eq!(url("redis://[::1]:6379").hosts(), ["[::1]:6379"]);
}

#[test]
fn any_text_is_a_url_or_refused_fuzzed() {
    let samples = [
        "sqlite:///abs/queue.db?sync=full",
        "redis://ann:s%40cret@h1:6379,[::1]:1/3?ack=fsync&timeout=5s",
        "cassandra+tls://u:p@a,b/shop?ca=/x.pem",
    ];
    let samples = samples.map(|sample| sample.as_bytes().to_vec());
    longshore_fuzz::fuzz("store-url", &samples, |input| {
        let text = String::from_utf8_lossy(input);
        match text.parse::<StoreUrl>() {
            Ok(url) => {
                let shown = url.to_string();
                let place = shown.split('?').next().unwrap_or_default();
                if !url.hosts().is_empty() {
                    assert!(place.matches('@').count() <= 1, "{shown}");
                }
                let _ = (url.duration("timeout"), url.check_keys(&["timeout", "ack"]));
                format!("{} hosts", "x".repeat(url.hosts().len().min(3)))
            }
            Err(error) => error.to_string(),
        }
    });
}

#[test]
fn hosts_that_cannot_be_are_refused() {
    for bad in [
        "redis://",
        "redis://a,,b",
        "redis://a b",
        "redis://%40a",
        "redis://a%2Fb",
        "redis://::1:6379",
        "redis://a]:6379",
        "redis://[::1]6379",
        "redis://:6379",
        "redis://a:0",
        "redis://a:65536",
        "redis://a:x",
        &format!("redis://{}", "a".repeat(256)),
    ] {
        let parsed = bad.parse::<StoreUrl>();
        assert!(
            parsed.as_ref().is_err() || parsed.unwrap().hosts().is_empty(),
            "{bad}"
        );
    }
    for good in ["a", "a:1", "a:65535", "[::1]", "[::1]:6379", "a,b:2"] {
        let hosts = format!("redis://{good}").parse::<StoreUrl>().unwrap();
        assert_eq!(hosts.hosts().join(","), good);
    }
}

#[test]
fn urls_are_shown_without_their_secrets() {
    for (text, shown) in [
        (
            "redis://h?password-file=/run/secret",
            "redis://h?password-file=/run/secret",
        ),
        ("redis://ann@h", "redis://ann@h"),
        ("redis://:pw@h", "redis://:***@h"),
        (
            "redis://ann:pw@a,b:1/0?token=x&ack=fsync",
            "redis://ann:***@a,b:1/0?ack=fsync&token=***",
        ),
        ("sqlite:///abs/q.db", "sqlite:///abs/q.db"),
    ] {
        assert_eq!(url(text).to_string(), shown);
    }
}

#[test]
fn no_password_is_ever_shown() {
    let secret = "hunter2";
    for text in [
        "redis://u:hunter2@h/0",
        "redis://:hunter2@h",
        "cassandra://a:x@hunter2@h/k",
        "redis+sentinel://h/m?sentinel-password=hunter2",
        "redis://h?password=hunter2",
        "redis://h?api_token=hunter2",
        "redis://h?client-secret=hunter2&ack=fsync",
        "rediss://h?key_pass=hunter2",
    ] {
        let url = url(text);
        for shown in [url.to_string(), format!("{url:?}"), format!("{url:#?}")] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    for text in [
        "redis:u:hunter2@h",
        "redis://u:hunter2@h:0",
        "redis://u:hunter2@h?a",
        "redis://u:1/hunter2@h:6379/0",
        "redis://u/hunter2@h",
        "sqlite://u:hunter2@h/queue.db",
        "sqlite://:hunter2@h",
    ] {
        let error = text.parse::<StoreUrl>().unwrap_err().to_string();
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn bad_urls_are_refused() {
    for bad in [
        "",
        "x",
        "redis:/h",
        "Redis://h",
        "://h",
        "redis://h:0",
        "redis://h:70000",
        "redis://h:abc",
        "redis://::1:6379",
        "redis://a b",
        "redis://h?x=1&x=2",
        "redis://h%00",
        "redis://h1,,h2",
    ] {
        assert!(bad.parse::<StoreUrl>().is_err(), "{bad:?}");
    }
}

#[test]
fn unknown_keys_name_the_nearest() {
    let error = url("sqlite://q.db?snyc=full")
        .check_keys(&["sync", "timeout"])
        .unwrap_err();
    assert!(
        error.to_string().contains("did you mean \"sync\"?"),
        "{error}"
    );
}

#[test]
fn durations_have_units() {
    let ok = url("sqlite://q.db?timeout=250ms")
        .duration("timeout")
        .unwrap();
    assert_eq!(ok, Some(Duration::from_millis(250)));
    for bad in ["5", "0s", "-1s", "1e999s", "9999999999999999999s", "s"] {
        assert!(
            url(&format!("sqlite://q.db?timeout={bad}"))
                .duration("timeout")
                .is_err()
        );
    }
}
