//! The password of a store, read from a file.

use longshore_core::{Result, StoreError, StoreErrorKind, StoreUrl};

/// Where a URL names the file.
const KEY: &str = "password-file";

/// The URL with the password that its file holds; as it is where it names none. The end of the last
/// line does not count.
pub(crate) fn resolve(url: StoreUrl) -> Result<StoreUrl> {
    let Some(path) = url.query(KEY) else {
        return Ok(url);
    };
    if url.password().is_some() {
        return Err(refused(
            "the URL has a password and a password-file; give one of them",
        ));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| refused(format!("the password-file {path} cannot be read: {error}")))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.contains(char::is_control) {
        return Err(refused(format!(
            "the password-file {path} does not hold one line with a password"
        )));
    }
    let password = password.to_owned();
    Ok(url.with_password(password))
}

fn refused(what: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, "open", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8], before: &str) -> Result<StoreUrl> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let url = format!("redis://{before}h?password-file={}", file.path().display());
        resolve(url.parse().unwrap())
    }

    #[test]
    fn the_password_is_the_line_of_the_file() {
        for content in ["hunter2", "hunter2\n", "hunter2\r\n"] {
            let url = of(content.as_bytes(), "ann@").unwrap();
            assert_eq!((url.user(), url.password()), (Some("ann"), Some("hunter2")));
            assert!(!url.to_string().contains("hunter2"));
            assert!(url.to_string().contains("password-file=/"), "{url}");
        }
        let none: StoreUrl = "redis://h".parse().unwrap();
        assert_eq!(resolve(none.clone()).unwrap(), none);
    }

    #[test]
    fn what_is_no_password_is_refused_without_being_shown() {
        for (content, before) in [
            (&b""[..], ""),
            (b"\n", ""),
            (b"hunter2\nmore", ""),
            (b"\xff", ""),
            (b"hunter2", "u:hunter3@"),
        ] {
            let error = of(content, before).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{content:?}");
            assert!(!error.to_string().contains("hunter"), "{error}");
        }
        let missing = "redis://h?password-file=/no/such/file".parse().unwrap();
        let error = resolve(missing).unwrap_err().to_string();
        assert!(error.contains("/no/such/file cannot be read"), "{error}");
    }
}
