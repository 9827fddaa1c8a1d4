//! What a piece of text means, and how that looks: its colour, and the sign of a decision.

use crate::slo::Decision;

/// What a piece of text means, and with it its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary.
    Plain,
    /// Important.
    Strong,
    /// Background.
    Faint,
    /// As it should be.
    Good,
    /// Needs a look.
    Warn,
    /// Not as it should be.
    Bad,
    /// A bar.
    Bar,
}

impl Tone {
    /// `text` in its colour where `color` allows one; blanks have none.
    #[must_use]
    pub fn paint(self, color: bool, text: &str) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Bar => "36",
        };
        if color && !text.trim().is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// What a decision means for whoever waits for it. An advisory one is never bad.
#[must_use]
pub fn tone(decision: Decision, advisory: bool) -> Tone {
    match decision {
        Decision::Pass => Tone::Good,
        Decision::Fail | Decision::Unreachable | Decision::Error if !advisory => Tone::Bad,
        _ => Tone::Warn,
    }
}

/// A decision as one sign.
#[must_use]
pub fn mark(decision: Decision, unicode: bool) -> char {
    match (decision, unicode) {
        (Decision::Pass, true) => '✓',
        (Decision::Pass, false) => '+',
        (Decision::Fail | Decision::Unreachable, true) => '✗',
        (Decision::Fail | Decision::Unreachable, false) => 'x',
        (Decision::Inconclusive | Decision::Insufficient, _) => '?',
        (Decision::Saturated, _) => '~',
        (Decision::Error, _) => '!',
    }
}

/// The nearest ASCII character of the same width.
pub(super) fn ascii(c: char) -> char {
    match c {
        c if c.is_ascii() => c,
        'µ' | 'μ' => 'u',
        '–' | '—' => '-',
        '≤' => '<',
        '≥' => '>',
        '×' => 'x',
        '…' => '.',
        '’' | '‘' => '\'',
        _ => '?',
    }
}
