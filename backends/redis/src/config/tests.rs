//! Tests of `config`.

use super::*;

fn read(text: &str) -> Result<Config> {
    Config::from_url(&text.parse().unwrap())
}

#[test]
fn every_form_is_read() {
    let one = read("redis://ann:pw@h:7000/3?timeout=2s&partitions=4&prefix=shop").unwrap();
    assert_eq!(
        one.servers,
        Servers::Single {
            host: "h".into(),
            port: 7000
        }
    );
    assert_eq!(
        (one.database, one.partitions.get(), one.prefix.as_str()),
        (3, 4, "shop")
    );
    assert_eq!(one.timeout, Some(Duration::from_secs(2)));
    assert!(one.tls.is_none() && one.ack == AckLevel::Memory);
    let v6 = read("rediss://[::1]?ca=/ca.pem").unwrap();
    assert_eq!(
        v6.servers,
        Servers::Single {
            host: "::1".into(),
            port: 6379
        }
    );
    assert_eq!(v6.tls.unwrap().ca, Some(PathBuf::from("/ca.pem")));
    assert!(read("valkey://h").is_ok());
    assert!(read("rediss+cluster://h").unwrap().tls.is_some());
    assert_eq!(
        read("redis+unix:///run/r.sock?db=2").unwrap().servers,
        Servers::Socket("/run/r.sock".into())
    );
    let sentinel = read("redis+sentinel://a,b:1/main/5?ack=replicas:2").unwrap();
    assert_eq!(
        (sentinel.database, sentinel.ack),
        (5, AckLevel::Replicas(2))
    );
    assert_eq!(
        sentinel.servers,
        Servers::Sentinel {
            sentinels: vec![("a".into(), 26379), ("b".into(), 1)],
            service: "main".into()
        }
    );
    assert_eq!(sentinel.sentinel_login, SentinelLogin::None);
    let same = read("redis+sentinel://:pw@a/main?sentinel-auth=same").unwrap();
    assert_eq!(same.sentinel_login, SentinelLogin::Same);
    let file = read("redis+sentinel://a/main?sentinel-auth=/etc/s").unwrap();
    assert_eq!(file.sentinel_login, SentinelLogin::File("/etc/s".into()));
    let cluster = read("redis+cluster://a,b:7001").unwrap().servers;
    assert_eq!(
        cluster,
        Servers::Cluster(vec![("a".into(), 6379), ("b".into(), 7001)])
    );
}

#[test]
fn wrong_ones_are_refused_without_their_password() {
    for bad in [
        "redis://a,b",
        "redis://",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/1?db=1",
        "redis://h?ack=disk",
        "redis://h?ack=replicas:0",
        "redis://h?partitions=0",
        "redis://h?partitions=999",
        "redis://h?prefix={x}",
        "redis://h?ca=/x",
        "rediss://h?cert=/x",
        "redis://h?timeuot=1s",
        "redis://u:hunter2@h?tls_verify=none",
        "redis+unix://",
        "redis+sentinel://a",
        "redis+sentinel://a/main?sentinel-auth=same",
        "redis+sentinel://u:hunter2@a/main?sentinel-auth=other",
        "redis://u:hunter2@a?sentinel-auth=same",
        "redis+cluster://a/1",
    ] {
        let error = read(bad).expect_err(bad);
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{bad}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let config = read("redis://u:hunter2@h").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
