//! Two things measured in turns.

use serde::Serialize;

/// Which values are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    /// Rates.
    Higher,
    /// Costs.
    Lower,
}

impl Better {
    fn best(self, values: impl IntoIterator<Item = f64>) -> f64 {
        let better = match self {
            Self::Higher => f64::max,
            Self::Lower => f64::min,
        };
        values.into_iter().reduce(better).unwrap_or(f64::NAN)
    }
}

/// Rounds in which a subject and what it is compared with ran right after each other.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    better: Better,
    rounds: Vec<(f64, f64)>,
}

impl Pairs {
    /// No rounds yet.
    pub(crate) fn new(better: Better) -> Self {
        Self {
            better,
            rounds: Vec::new(),
        }
    }

    /// Adds a round: the subject's value, and the other's.
    pub(crate) fn push(&mut self, subject: f64, other: f64) {
        self.rounds.push((subject, other));
    }

    /// The medians of both sides, and of the ratio within each round: a machine that is slow for
    /// a minute slows both sides of a pair.
    pub(crate) fn summary(&self) -> Summary {
        let subjects = || self.rounds.iter().map(|(subject, _)| *subject);
        let others = || self.rounds.iter().map(|(_, other)| *other);
        let ratios: Vec<f64> = subjects().zip(others()).map(|(s, o)| s / o).collect();
        Summary {
            subject: median(subjects()),
            other: median(others()),
            ratio: Ratio {
                median: median(ratios.iter().copied()),
                lowest: Better::Lower.best(ratios.iter().copied()),
                highest: Better::Higher.best(ratios.iter().copied()),
                of_best: self.better.best(subjects()) / self.better.best(others()),
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
    /// The best round of the subject by the best of the other. A neighbour on the machine can
    /// only make a round worse, so this is what is left when the neighbours are quiet.
    pub of_best: f64,
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
        let mut pairs = Pairs::new(Better::Higher);
        // The machine is ten times slower in the second round: the ratio does not care.
        pairs.push(90.0, 100.0);
        pairs.push(9.0, 10.0);
        pairs.push(80.0, 100.0);
        let summary = pairs.summary();
        assert!((summary.ratio.median - 0.9).abs() < 1e-9);
        assert!((summary.ratio.lowest - 0.8).abs() < 1e-9);
        assert!((summary.subject - 80.0).abs() < 1e-9);
        assert!((summary.other - 100.0).abs() < 1e-9);
        assert!((summary.ratio.of_best - 0.9).abs() < 1e-9);
    }

    #[test]
    fn the_best_cost_is_the_lowest() {
        let mut pairs = Pairs::new(Better::Lower);
        pairs.push(3.0, 1.0);
        pairs.push(2.0, 4.0);
        let ratio = pairs.summary().ratio;
        assert!((ratio.of_best - 2.0).abs() < 1e-9);
        assert!((ratio.median - 1.75).abs() < 1e-9);
    }

    #[test]
    fn medians() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median([]).is_nan());
    }
}
