//! Measurements of one thing: the median, and from where to where they went.

use std::fmt;

#[derive(Debug)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    /// Of at least one measurement.
    pub(crate) fn of(measured: impl IntoIterator<Item = f64>) -> Self {
        let mut measured: Vec<f64> = measured.into_iter().collect();
        measured.sort_by(f64::total_cmp);
        Self(measured)
    }

    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    pub(crate) fn least(&self) -> f64 {
        self.0[0]
    }

    /// Nine of ten are no greater.
    pub(crate) fn most_of(&self) -> f64 {
        self.0[self.0.len() * 9 / 10]
    }
}

impl fmt::Display for Spread {
    /// The median; in brackets the least and the ninth of ten.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.0.iter().any(|value| value.fract() > 0.0));
        let (median, least, most) = (self.median(), self.least(), self.most_of());
        write!(f, "{median:.digits$}")?;
        if self.0.len() > 1 {
            write!(f, " ({least:.digits$} to {most:.digits$})")?;
        }
        Ok(())
    }
}
