//! What is wrong with a file, and where.

use std::fmt;

use crate::yaml::Position;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub at: Position,
    /// Which key, what was given, what is allowed.
    pub said: String,
    /// What to do; `None` where that is said already.
    pub advice: Option<String>,
}

impl Mistake {
    pub(super) fn new(at: Position, said: impl Into<String>) -> Self {
        Self { at, said: said.into(), advice: None }
    }

    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// `line:column: what is wrong; what to do`.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.tell(f, &self.said, self.advice.as_deref())
    }
}

impl std::error::Error for Mistake {}

/// The name that an unknown one is most like, as advice.
pub(super) fn did_you_mean<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let distance = |name: &str| strsim::damerau_levenshtein(&given.to_lowercase(), &name.to_lowercase());
    let (far, nearest) = known.map(|name| (distance(name), name)).min()?;
    (far <= 2 && far < given.len()).then(|| format!("did you mean {nearest}?"))
}

/// The beginning of a text on one line, for messages.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        plain.push('…');
    }
    plain
}
