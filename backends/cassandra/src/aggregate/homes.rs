//! Which cell a key is collected in.

use longshore_core::AggregateKey;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The cells that collect, each for its data centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Homes {
    here: i16,
    /// One for each data centre, by its name; that of this one is `here`.
    cells: Vec<(String, i16)>,
}

impl Homes {
    /// Of the cells that are registered, with their data centres: the lowest of each other one.
    pub(crate) fn new(here: i16, dc: &str, registered: &[(i16, String)]) -> Self {
        let mut cells = vec![(dc.to_owned(), here)];
        let mut registered = registered.to_vec();
        registered.sort();
        for (cell, of) in registered {
            if cells.iter().all(|(known, _)| *known != of) {
                cells.push((of, cell));
            }
        }
        cells.sort();
        Self { here, cells }
    }

    /// The only one.
    pub(crate) fn alone(here: i16) -> Self {
        Self::new(here, "", &[])
    }

    /// The cells of the other data centres.
    pub(crate) fn others(&self) -> impl Iterator<Item = i16> {
        let here = self.here;
        let cells = self.cells.iter().map(|(_, cell)| *cell);
        cells.filter(move |cell| *cell != here)
    }

    /// The cell that a key is collected in: that of the data centre whose name and the key have the
    /// greatest hash together. A data centre that comes or goes moves no other keys than its own.
    pub(crate) fn of(&self, key: &AggregateKey) -> i16 {
        let weight = |dc: &str| {
            let seed = xxh3_64_with_seed(dc.as_bytes(), 0);
            xxh3_64_with_seed(key.as_str().as_bytes(), seed)
        };
        let greatest = self
            .cells
            .iter()
            .max_by_key(|(dc, _)| (weight(dc), dc.clone()));
        greatest.map_or(self.here, |(_, cell)| *cell)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn keys() -> impl Iterator<Item = AggregateKey> {
        (0..3_000).map(|n| AggregateKey::new(format!("k{n}")).unwrap())
    }

    #[test]
    fn both_sides_agree_and_share_evenly() {
        let cells = [
            (0, "eu".to_owned()),
            (1, "us".to_owned()),
            (7, "us".to_owned()),
        ];
        let (eu, us) = (Homes::new(0, "eu", &cells), Homes::new(1, "us", &cells));
        assert_eq!(eu.others().collect::<Vec<_>>(), [1]);
        assert_eq!(us.others().collect::<Vec<_>>(), [0]);
        let mut counts: BTreeMap<i16, u32> = BTreeMap::new();
        for key in keys() {
            assert_eq!(eu.of(&key), us.of(&key));
            *counts.entry(eu.of(&key)).or_default() += 1;
        }
        assert!(counts.values().all(|count| *count > 1_350), "{counts:?}");
    }

    #[test]
    fn a_third_data_centre_takes_keys_and_moves_no_others() {
        let two = [(0, "eu".to_owned()), (1, "us".to_owned())];
        let three = [&two[..], &[(2, "ap".to_owned())]].concat();
        let (two, three) = (Homes::new(0, "eu", &two), Homes::new(0, "eu", &three));
        for key in keys() {
            let now = three.of(&key);
            assert!(now == 2 || now == two.of(&key), "{key}");
        }
    }

    #[test]
    fn alone_everything_is_here() {
        let alone = Homes::alone(5);
        assert_eq!(alone.others().count(), 0);
        assert!(keys().all(|key| alone.of(&key) == 5));
    }
}
