//! Test suites in the XML that Jenkins, GitLab and GitHub's readers understand.

use std::time::Duration;

use maud::{Markup, PreEscaped, Render, html};

use super::plain;

/// What a test case comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// Nothing is known of it: that is no failure of the target, and no pass.
    Undecided,
    /// It decides nothing, or was not done.
    Skipped,
}

/// One test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What is tested.
    pub name: String,
    /// What it comes to.
    pub colour: Colour,
    /// The decision's name.
    pub kind: &'static str,
    /// Why it is not green; for a green one, with what value it passed.
    pub why: String,
    /// How long it took; `None` where that means nothing.
    pub took: Option<Duration>,
}

/// Test cases that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// What they are about.
    pub name: String,
    /// When the first began, in RFC 3339 and UTC.
    pub started: String,
    /// How long all of them took.
    pub took: Duration,
    /// What else is to be known, by name.
    pub properties: Vec<(&'static str, String)>,
    /// The cases; at least one.
    pub cases: Vec<Case>,
}

impl Suite {
    fn number(&self, colour: Colour) -> usize {
        self.cases.iter().filter(|case| case.colour == colour).count()
    }
}

/// Seconds with three decimals.
fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

impl Render for Case {
    fn render(&self) -> Markup {
        let (name, why) = (plain(&self.name), plain(&self.why));
        html! {
            "    " testcase classname="tollgate" name=(name) time=[self.took.map(seconds)] {
                @match self.colour {
                    Colour::Passed => system-out { (why) },
                    Colour::Failed => failure type=(self.kind) message=(why) { (why) },
                    Colour::Undecided => error type=(self.kind) message=(why) { (why) },
                    Colour::Skipped => skipped message=(why) {},
                }
            } "\n"
        }
    }
}

impl Render for Suite {
    fn render(&self) -> Markup {
        // The schema's dates have neither fractions nor a zone.
        let timestamp: String = self.started.chars().take("2025-01-07T09:30:00".len()).collect();
        html! {
            "\n  "
            testsuite name=(plain(&self.name)) tests=(self.cases.len()) failures=(self.number(Colour::Failed))
                errors=(self.number(Colour::Undecided)) skipped=(self.number(Colour::Skipped))
                time=(seconds(self.took)) timestamp=(timestamp) {
                "\n    "
                properties {
                    @for (name, value) in &self.properties { "\n      " property name=(name) value=(plain(value)) {} }
                    "\n    "
                }
                "\n"
                @for case in &self.cases { (case) }
                "  "
            }
        }
    }
}

/// The suites as one document. Times are seconds, timestamps UTC.
#[must_use]
pub fn suites(suites: &[Suite]) -> String {
    let number = |colour| suites.iter().map(|suite| suite.number(colour)).sum::<usize>();
    let tests: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let (failed, undecided, skipped) = (number(Colour::Failed), number(Colour::Undecided), number(Colour::Skipped));
    let time = seconds(suites.iter().map(|suite| suite.took).sum());
    let page = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
        testsuites name="tollgate" tests=(tests) failures=(failed) errors=(undecided) skipped=(skipped) time=(time) {
            @for suite in suites { (suite) }
            "\n"
        }
        "\n"
    };
    page.into_string()
}
