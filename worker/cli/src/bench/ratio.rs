//! Two things measured in turns.

use serde::Serialize;

/// Rounds in which a subject and what it is compared with ran right after each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Adds a round: the subject's value, and the other's.
    pub(crate) fn push(&mut self, subject: f64, other: f64) {
        self.0.push((subject, other));
    }

    /// The medians of both sides, and of the ratio within each round: a machine that is slow for
    /// a minute slows both sides of a pair.
    pub(crate) fn summary(&self) -> Summary {
        let ratios: Vec<f64> = self
            .0
            .iter()
            .map(|(subject, other)| subject / other)
            .collect();
        Summary {
            subject: median(self.0.iter().map(|(subject, _)| *subject)),
            other: median(self.0.iter().map(|(_, other)| *other)),
            ratio: Ratio {
                median: median(ratios.iter().copied()),
                lowest: ratios.iter().copied().fold(f64::INFINITY, f64::min),
                highest: ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                rounds: ratios,
            },
        }
    }
}

/// What the rounds say.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    /// The median of the subject.
    pub subject: f64,
    /// The median of what it is compared with.
    pub other: f64,
    /// Subject divided by other.
    pub ratio: Ratio,
}

/// A ratio with its spread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// The median of the rounds.
    pub median: f64,
    /// The lowest round.
    pub lowest: f64,
    /// The highest round.
    pub highest: f64,
    /// Every round in the order it ran.
    pub rounds: Vec<f64>,
}

/// The middle value, or the mean of the two in the middle; NaN of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (1, Some(value)) => *value,
        (0, Some(value)) => f64::midpoint(sorted[middle - 1], *value),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_taken_within_each_round() {
        let mut pairs = Pairs::default();
        // The machine is ten times slower in the second round: the ratio does not care.
        pairs.push(90.0, 100.0);
        pairs.push(9.0, 10.0);
        pairs.push(80.0, 100.0);
        let summary = pairs.summary();
        assert!((summary.ratio.median - 0.9).abs() < 1e-9);
        assert!((summary.ratio.lowest - 0.8).abs() < 1e-9);
        assert!((summary.subject - 80.0).abs() < 1e-9);
        assert!((summary.other - 100.0).abs() < 1e-9);
    }

    #[test]
    fn medians() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median([]).is_nan());
    }
}
