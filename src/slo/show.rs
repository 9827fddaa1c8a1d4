//! The canonical spelling: what `Display` writes parses back to an equal value.

use std::fmt;

use crate::stats::{Answers, Ns, Series, grpc_name};

use super::clause::{
    Aggregate, Bound, Clause, Line, Margin, Metric, Offset, Options, Otherwise, Reference, Selector, SelectorKey,
    Share, name_of,
};
use super::needs::Query;
use super::unit::Quantity;

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, clause) in self.clauses.iter().enumerate() {
            write!(f, "{}{clause}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.head(), self.options)
    }
}

impl Clause {
    /// Metric, comparison and bound, without the options: `p99<500ms`.
    #[must_use]
    pub fn head(&self) -> String {
        let selectors: Vec<String> = self.selectors.iter().map(ToString::to_string).collect();
        let selectors = if selectors.is_empty() { String::new() } else { format!("{{{}}}", selectors.join(",")) };
        format!("{}{selectors}{}{}", self.metric, self.comparison.symbol(), self.bound)
    }
}

impl Metric {
    /// The full name, with the series: `latency.p95`, `success`, `5xx`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Series(series, aggregate) => format!("{}.{aggregate}", series.name()),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(Series::Latency, aggregate) => write!(f, "{aggregate}"),
            Self::Series(series, aggregate) => write!(f, "{}.{aggregate}", series.name()),
            Self::Share(share) => write!(f, "{share}"),
            Self::Rps => f.write_str("rps"),
            Self::Count => f.write_str("count"),
            Self::Prom(Query(query)) => write!(f, "prom('{}')", query.replace('\'', "''")),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quantile(percent) => write!(f, "p{percent}"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Avg => f.write_str("avg"),
            Self::Med => f.write_str("med"),
            Self::Stddev => f.write_str("stddev"),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(Answers::Class(class)) => write!(f, "{class}xx"),
            Self::Answered(Answers::Http(status)) => write!(f, "{status}"),
            Self::Answered(Answers::Grpc(status)) => {
                write!(f, "grpc.{}", grpc_name(*status).to_lowercase())
            }
            named => f.write_str(name_of(&Self::NAMED, named)),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", name_of(&SelectorKey::NAMED, &self.key), self.value)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(quantity) => write!(f, "{quantity}"),
            Self::Relative { base, offset } => {
                write!(f, "{base}")?;
                match offset {
                    None => Ok(()),
                    Some(Offset::Plus(margin)) => write!(f, "+{margin}"),
                    Some(Offset::Minus(margin)) => write!(f, "-{margin}"),
                    Some(Offset::Times(factor)) => write!(f, "*{factor}"),
                }
            }
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.write_str("primary"),
            Self::Last => f.write_str("last"),
            Self::Baseline(name) => write!(f, "baseline({name})"),
        }
    }
}

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(quantity) => write!(f, "{quantity}"),
            Self::Max(one, other) => write!(f, "max({one},{other})"),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, self.unit.map_or("", |unit| unit.spelling()))
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(confidence) = self.confidence {
            write!(f, " @{confidence}")?;
        }
        if let Some(min) = self.min {
            write!(f, " min={min}")?;
        }
        if let Some(after) = self.after {
            write!(f, " after={}", span(after))?;
        }
        if let Some(over) = self.over {
            write!(f, " over={}", span(over))?;
        }
        if let Some(otherwise) = self.otherwise {
            write!(f, " else={}", name_of(&Otherwise::NAMED, &otherwise))?;
        }
        if self.abort {
            f.write_str(" abort")?;
        }
        if self.warn {
            f.write_str(" warn")?;
        }
        Ok(())
    }
}

/// A span in the greatest unit that measures it in whole numbers: `90s`, `2m`, `1500ms`.
pub(super) fn span(span: Ns) -> String {
    let units = [(60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let (factor, unit) =
        units.into_iter().find(|(factor, _)| span.0 > 0 && span.0.is_multiple_of(*factor)).unwrap_or((1, "ns"));
    format!("{}{unit}", span.0 / factor)
}
