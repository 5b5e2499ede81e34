//! What of a URL matters to a step: where it goes, whether it climbs, and what may be shown.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::steps::address::is_public;

/// A URL without its query and without what stands before an @.
pub(super) fn without_secrets(url: &str) -> String {
    let shown = url.split_once('?').map_or(url, |(before, _)| before);
    match shown.split_once("://") {
        Some((scheme, rest)) => match authority(shown).ok().and_then(|a| a.rfind('@')) {
            Some(at) => format!("{scheme}://***{}", &rest[at..]),
            None => shown.to_owned(),
        },
        None => shown.to_owned(),
    }
}

/// The part of a URL that says where a request goes; an error in words if it has no http scheme.
pub(super) fn authority(url: &str) -> Result<&str, String> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .ok_or("the URL must begin with http:// or https://")?;
    // A template may hold any of these characters, so what is inside of one does not end it.
    let mut depth = 0;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            '/' | '?' | '#' | '\\' if depth == 0 => return Ok(&rest[..at]),
            _ => {}
        }
    }
    Ok(rest)
}

/// Whether a part of the path is `.` or `..`, in any spelling that a client or server would take
/// for it.
pub(super) fn climbs(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    // The first part is the host.
    path.split(['/', '\\']).skip(1).any(|part| {
        let part = percent_decode_str(part).collect::<Vec<u8>>();
        part.split(|byte| matches!(byte, b'/' | b'\\'))
            .any(|part| part == b"." || part == b"..")
    })
}

/// Whether the host is a name (which the client checks when it resolves it) or a public address.
pub(super) fn named_or_public(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().map_or(!host.is_empty(), is_public)
}
