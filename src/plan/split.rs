//! What results are told apart by, beside the result of the whole.

use super::{Plan, Source};

/// One way to tell requests apart; each has a table of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// The URL asked: the place of its target in [`Plan::targets`].
    Url,
    /// The address that answered, known only once it has.
    Address,
    /// The value of one drawing, a list or a range: its number there.
    Value {
        /// The drawing's label.
        label: String,
        /// Its place among each target's drawings; `None` for a target without it.
        places: Vec<Option<usize>>,
    },
}

impl Split {
    /// The name used in flags, reports and JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Address => "address",
            Self::Value { .. } => "value",
        }
    }
}

impl Plan {
    /// What the class of a sample stands for: the URL of the target with that number.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.targets.iter().map(|target| target.url.as_str())
    }

    /// The number that a split knows request `index` to this target by before it is sent; `None` where it is not known
    /// yet (an address), or where the split says nothing of this target.
    #[must_use]
    pub fn number(&self, split: &Split, target: usize, index: u64) -> Option<u64> {
        match split {
            Split::Url => Some(target as u64),
            Split::Address => None,
            Split::Value { places, .. } => {
                let place = places.get(target).copied().flatten()?;
                let drawn = self.targets[target].drawn.as_ref()?;
                Some(drawn.number(place, self.seed, index))
            }
        }
    }

    /// What a split's number stands for, in words.
    #[must_use]
    pub fn name(&self, split: &Split, number: u64) -> String {
        match split {
            Split::Url => self.classes().nth(number as usize).unwrap_or_default().to_owned(),
            Split::Address => String::new(),
            Split::Value { .. } => self.source(split).map(|source| source.name(number)).unwrap_or_default(),
        }
    }

    /// Where the values of a split come from: the same in every target that has them.
    fn source(&self, split: &Split) -> Option<&Source> {
        let Split::Value { places, .. } = split else { return None };
        let found =
            self.targets.iter().zip(places).find_map(|(target, place)| Some((target.drawn.as_ref()?, (*place)?)));
        found.map(|(drawn, place)| &drawn.drawings[place].source)
    }
}
