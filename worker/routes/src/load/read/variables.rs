//! `${VAR}` and `${VAR:-default}` in string values.

/// Reads a variable of the environment.
pub(crate) type Lookup<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// Fills in the variables of a string. What a variable holds is taken as it is: `${B}` in the
/// value of `A` stays. `$${` is a literal `${`.
pub(super) fn fill(text: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            filled.push_str(&rest[..at - 1]);
            filled.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        filled.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let Some(end) = inner.find('}') else {
            return Err(
                "a variable begins with ${ and has no }; write $${ for a literal ${".into(),
            );
        };
        let (name, default) = match inner[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inner[..end], None),
        };
        let well_formed = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !well_formed {
            return Err(format!(
                "{:?} is not the name of a variable; write $${{ for a literal ${{",
                name.chars().take(80).collect::<String>()
            ));
        }
        let set = lookup(name).filter(|value| default.is_none() || !value.is_empty());
        match set.or_else(|| default.map(str::to_owned)) {
            Some(value) => filled.push_str(&value),
            None => {
                return Err(format!(
                    "the variable {name} is not set; set it, or give a default: ${{{name}:-…}}"
                ));
            }
        }
        rest = &inner[end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        fill(text, &|name| match name {
            "A" => Some("${B}".into()),
            "B" => Some("b".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_filled_in_once_and_defaults_stand_in() {
        assert_eq!(filled("x${A}y").unwrap(), "x${B}y", "not recursive");
        assert_eq!(filled("${NO:-d}${B}").unwrap(), "db");
        assert_eq!(filled("${EMPTY:-d}").unwrap(), "d");
        assert_eq!(filled("${EMPTY}").unwrap(), "");
        assert_eq!(filled("${NO:-}").unwrap(), "");
        assert_eq!(filled("$5 $${B} {{ x }}").unwrap(), "$5 ${B} {{ x }}");
    }

    #[test]
    fn an_unset_or_malformed_variable_is_an_error() {
        assert!(filled("${NO}").unwrap_err().contains("NO is not set"));
        for bad in ["${", "${}", "${1}", "${a b}", "x ${A"] {
            assert!(filled(bad).is_err(), "{bad}");
        }
    }
}
