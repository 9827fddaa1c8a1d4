//! What is wrong with a Canary, and where.

use std::fmt;

use crate::yaml::Position;

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MistakeKind {
    /// The text is no YAML.
    Yaml,
    /// A chart's template whose values are not filled in.
    Template,
    /// There is no Canary in it.
    NoCanary,
    /// A key that there is not: the cluster drops it without a word.
    UnknownKey,
    /// A key that belongs elsewhere in the hook: the cluster drops it.
    Misplaced,
    /// A key that stands twice: the last one counts.
    Twice,
    /// A value of another type.
    WrongType,
    /// A value of a hook's metadata that is no text.
    Metadata,
    /// A key that must be there.
    Missing,
    /// A type of hook that there is not.
    HookType,
    /// A value that the key does not allow.
    Value,
    /// A version of the object that is no longer served.
    Version,
}

impl MistakeKind {
    /// Whether the cluster would refuse the object, so that nothing can be said of how it behaves.
    #[must_use]
    pub const fn is_fatal(self) -> bool {
        !matches!(self, Self::UnknownKey | Self::Misplaced | Self::Twice)
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What kind.
    pub kind: MistakeKind,
    /// Where.
    pub at: Position,
    /// Which key, what was given, what is allowed; one line.
    pub said: String,
    /// What to do; one line.
    pub advice: Option<String>,
}

impl Mistake {
    pub(super) fn new(kind: MistakeKind, at: Position, said: impl Into<String>) -> Self {
        Self { kind, at, said: said.into(), advice: None }
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
