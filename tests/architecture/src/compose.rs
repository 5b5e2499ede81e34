//! `compose.yaml`, as far as the rules need it.

/// The lines of a compose file with the path of keys that leads to each. Reads the plain block
/// style that the file is written in: keys, scalars and lists, no flow maps over lines.
#[derive(Clone, Debug)]
pub struct Compose(Vec<(String, String)>);

impl Compose {
    /// Reads one.
    ///
    /// # Panics
    ///
    /// When a line is indented with tabs, which YAML forbids.
    pub fn parse(text: &str) -> Self {
        let mut open: Vec<(usize, String)> = Vec::new();
        let mut entries = Vec::new();
        for line in text.lines() {
            let content = line.trim_start();
            assert!(!line.starts_with('\t'), "indented with a tab: {line}");
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let indent = line.len() - content.len();
            open.retain(|(at, _)| *at < indent || content.starts_with("- ") && *at == indent);
            let path = open
                .iter()
                .map(|(_, key)| key.as_str())
                .collect::<Vec<_>>()
                .join(".");
            if let Some(item) = content.strip_prefix("- ") {
                entries.push((path, unquoted(item)));
            } else if let Some((key, value)) = content.split_once(':') {
                let key = unquoted(key);
                let separator = if path.is_empty() { "" } else { "." };
                entries.push((format!("{path}{separator}{key}"), unquoted(value)));
                open.push((indent, key));
            } else {
                entries.push((path, content.to_owned()));
            }
        }
        Self(entries)
    }

    /// The values below a path of keys such as `services.worker.command`.
    pub fn values(&self, path: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(at, _)| at == path);
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The first value below a path.
    pub fn value(&self, path: &str) -> Option<&str> {
        self.values(path).first().copied()
    }
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let text = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lists_and_blocks_are_found_by_their_path() {
        let text = "a:\n  b: 60s\n  c:\n    - \"x:y\"\n    - z\nd: &e\n  f: [\"run\", \"g\"]\n";
        let compose = Compose::parse(text);
        assert_eq!(compose.value("a.b"), Some("60s"));
        assert_eq!(compose.values("a.c"), ["", "x:y", "z"]);
        assert_eq!(compose.value("d.f"), Some("[\"run\", \"g\"]"));
        assert_eq!(compose.value("a.d"), None);
    }
}
