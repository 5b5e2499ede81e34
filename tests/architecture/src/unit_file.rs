//! systemd unit files.

use std::time::Duration;

/// The settings of a unit file, in order.
#[derive(Clone, Debug, Default)]
pub struct UnitFile(Vec<(String, String, String)>);

impl UnitFile {
    /// Reads one; every line that is no comment must be a section or a setting.
    ///
    /// # Panics
    ///
    /// When a line is neither.
    pub fn parse(text: &str) -> Self {
        let mut section = String::new();
        let mut settings = Vec::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                name.clone_into(&mut section);
                continue;
            }
            let (key, value) = line
                .split_once('=')
                .unwrap_or_else(|| panic!("no setting: {line}"));
            settings.push((
                section.clone(),
                key.trim().to_owned(),
                value.trim().to_owned(),
            ));
        }
        Self(settings)
    }

    /// The value that counts: the last one.
    pub fn get(&self, section: &str, key: &str) -> Option<&str> {
        let mut found = self.0.iter().rev();
        found
            .find(|(in_section, name, _)| in_section == section && name == key)
            .map(|(_, _, value)| value.as_str())
    }
}

/// A span as systemd, compose and route files write it: a number and `s`, `min`, `m` or `h`; a
/// bare number is seconds.
pub fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim().trim_matches('"');
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(Duration::from_secs(number * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_sections_are_kept_apart() {
        let unit = UnitFile::parse("[A]\nx=1\n# y=2\n[B]\nx = 3\nx = a=b\n");
        assert_eq!(unit.get("A", "x"), Some("1"));
        assert_eq!(unit.get("B", "x"), Some("a=b"));
        assert_eq!(unit.get("A", "y"), None);
    }

    #[test]
    fn spans() {
        assert_eq!(seconds("60s"), Some(Duration::from_secs(60)));
        assert_eq!(seconds("2min"), Some(Duration::from_secs(120)));
        assert_eq!(seconds("\"45s\""), Some(Duration::from_secs(45)));
        assert_eq!(seconds("soon"), None);
    }
}
