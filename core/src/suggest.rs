//! Did you mean …?

/// The candidate nearest to `given`, if one is near enough to be meant: of the shorter word at
/// least half is as it should be. A word of one letter has no near ones.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&given, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            let length = candidate.chars().count();
            let shorter = length.min(given.chars().count());
            *distance <= 1 + length / 3 && distance * 2 <= shorter
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_named_and_nonsense_is_not() {
        assert_eq!(
            nearest("concurency", ["concurrency", "drain"]),
            Some("concurrency")
        );
        assert_eq!(nearest("xyz", ["concurrency", "drain"]), None);
        assert_eq!(nearest("ab", ["ac"]), Some("ac"));
        for (given, other) in [("b", "a"), ("qq", "q"), ("q", "qq"), ("abc", "xyc")] {
            assert_eq!(nearest(given, [other]), None, "{given}");
        }
    }
}
