//! What a server's refusal means where it has no code of its own, only words.

use longshore_core::StoreErrorKind as Kind;

/// The kind of a refusal and what to say about it. Nothing has run, unless it is `Denied`.
pub(crate) fn in_words(text: &str) -> Option<(Kind, String)> {
    let has = |words: &str| text.contains(words);
    let lacks = |what: &str| has(&format!("nknown command '{what}'"));
    // The server does not say which command or key it was when a script asked for it.
    if has("The user executing the script") || has("ACL failure in script") {
        let said =
            "the user lacks a right that this operation needs; docs/redis.md has the ACL line";
        return Some((Kind::Denied, format!("{said}: {}", cut(text))));
    }
    if lacks("SENTINEL") {
        let said = "what the URL names as a Sentinel is a server; use redis:// for it";
        return Some((Kind::Misconfigured, said.to_owned()));
    }
    // Every server knows these.
    if lacks("TIME") || lacks("HMGET") {
        let said = "what answers there is no server but a Sentinel or a proxy; for a Sentinel use \
                    redis+sentinel://HOST/SERVICE";
        return Some((Kind::Misconfigured, said.to_owned()));
    }
    if has("nknown command") {
        let said = "the server lacks a command; Redis 7.0 or newer is needed";
        return Some((Kind::Unsupported, format!("{said}: {}", cut(text))));
    }
    if has("Error compiling script") {
        let said = "the server does not understand our scripts; Redis 7.0 or newer is needed, or \
                    Valkey";
        return Some((Kind::Unsupported, said.to_owned()));
    }
    has("cluster support disabled").then(|| {
        let said = "the server is no cluster; use redis://";
        (Kind::Misconfigured, said.to_owned())
    })
}

/// What the server says is echoed escaped and cut.
pub(crate) fn cut(text: &str) -> String {
    let escaped = text.chars().take(200).flat_map(|c| match c {
        '\'' | '"' => vec![c],
        _ => c.escape_debug().collect(),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_known_by_their_words() {
        let kind = |text| in_words(text).map(|(kind, _)| kind);
        for (text, meant) in [
            (
                "ERR unknown command 'SENTINEL', with args",
                Kind::Misconfigured,
            ),
            ("ERR unknown command 'TIME', with args", Kind::Misconfigured),
            (
                "ERR unknown command 'ZMSCORE', with args",
                Kind::Unsupported,
            ),
            (
                "ERR Error compiling script (new function)",
                Kind::Unsupported,
            ),
            (
                "ERR This instance has cluster support disabled",
                Kind::Misconfigured,
            ),
            ("ERR The user executing the script can't", Kind::Denied),
            (
                "ERR ACL failure in script: User ann has no permissions",
                Kind::Denied,
            ),
        ] {
            assert_eq!(kind(text), Some(meant), "{text}");
        }
        assert_eq!(kind("ERR whatever"), None);
        assert_eq!(cut("it's\n"), "it's\\n");
    }
}
