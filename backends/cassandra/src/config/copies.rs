//! How many copies the URL asks for.

use std::collections::BTreeMap;

/// `rf=3` for the data centre that is asked, `rf=dc1:3,dc2:3` for each by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    here: Option<usize>,
    of: BTreeMap<String, usize>,
}

impl Copies {
    /// Reads the value of the key; the error is what it wants.
    pub(crate) fn read(text: Option<&str>) -> Result<Self, &'static str> {
        const WANTED: &str =
            "rf wants a number from 1 to 9, or one for each data centre: rf=dc1:3,dc2:3";
        let mut copies = Self::default();
        let Some(text) = text else {
            return Ok(copies);
        };
        let number = |text: &str| text.parse().ok().filter(|number| (1..=9).contains(number));
        if !text.contains(':') {
            copies.here = Some(number(text).ok_or(WANTED)?);
            return Ok(copies);
        }
        for part in text.split(',') {
            let (dc, count) = part.rsplit_once(':').ok_or(WANTED)?;
            let count = number(count).ok_or(WANTED)?;
            if dc.is_empty() || copies.of.insert(dc.to_owned(), count).is_some() {
                return Err(WANTED);
            }
        }
        Ok(copies)
    }

    /// How many the data centre that is asked gets, if that is told.
    pub(crate) fn here(&self, dc: &str) -> Option<usize> {
        self.of.get(dc).copied().or(self.here)
    }

    /// Those that are named.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, usize)> {
        self.of.iter().map(|(dc, count)| (dc.as_str(), *count))
    }

    /// Those of the others.
    pub(crate) fn others<'a>(&'a self, here: &'a str) -> impl Iterator<Item = (&'a str, usize)> {
        self.named().filter(move |(dc, _)| *dc != here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_for_here_and_a_list_for_each() {
        let one = Copies::read(Some("2")).unwrap();
        assert_eq!((one.here("dc1"), one.others("dc1").count()), (Some(2), 0));
        let each = Copies::read(Some("dc1:3,eu-2:5")).unwrap();
        assert_eq!((each.here("eu-2"), each.here("us")), (Some(5), None));
        assert_eq!(each.others("dc1").collect::<Vec<_>>(), [("eu-2", 5)]);
        assert_eq!(Copies::read(None).unwrap().here("dc1"), None);
        for bad in [
            "",
            "0",
            "10",
            "x",
            "dc1:0",
            "dc1:3,",
            ":3",
            "dc1:3,dc1:2",
            "dc1:3,4",
        ] {
            assert!(Copies::read(Some(bad)).is_err(), "{bad}");
        }
    }
}
