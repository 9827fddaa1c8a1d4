//! To which release a request goes: by the weights, by what it says, or by the release that its user met before.

use regex::Regex;

use crate::flagger::{Match, Pattern, Route, SessionAffinity};

/// One of the two releases that a router knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one in service.
    Primary,
    /// The one under analysis.
    Canary,
}

/// What becomes of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Who answers it.
    pub(super) side: Side,
    /// Whether the canary gets a copy.
    pub(super) copied: bool,
    /// A cookie for its user.
    pub(super) cookie: Option<String>,
}

/// The rules of one analysis, and where they stand.
#[derive(Debug)]
pub(super) struct Split {
    route: Route,
    conditions: Vec<Vec<(String, Condition)>>,
    affinity: Option<SessionAffinity>,
    /// The share of requests that is copied while the canary is mirrored, of 100.
    copies: u64,
    /// How long a user keeps to the primary, in seconds.
    interval: u64,
    turn: u64,
    copied: u64,
}

#[derive(Debug)]
enum Condition {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Regex(Regex),
    Present,
}

impl Condition {
    /// What the object says. An expression that is none never matches, as with the proxies that get it.
    fn of(pattern: &Pattern) -> Option<Self> {
        Some(match pattern {
            Pattern::Exact(text) => Self::Exact(text.clone()),
            Pattern::Prefix(text) => Self::Prefix(text.clone()),
            Pattern::Suffix(text) => Self::Suffix(text.clone()),
            Pattern::Regex(text) => Self::Regex(Regex::new(&format!("^(?:{text})$")).ok()?),
            Pattern::Present => Self::Present,
        })
    }

    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Exact(text) => value == text,
            Self::Prefix(text) => value.starts_with(text.as_str()),
            Self::Suffix(text) => value.ends_with(text.as_str()),
            Self::Regex(regex) => regex.is_match(value),
            Self::Present => true,
        }
    }
}

/// What the cookie holds: one analysis, one value.
const VISIT: &str = "rehearsed";

impl Split {
    /// Everything to the primary. Only the headers of conditions are looked at.
    pub(super) fn new(matches: &[Match], affinity: Option<SessionAffinity>, copies: u32, interval: u64) -> Self {
        let headers = |one: &Match| {
            let headers = one.headers.iter().map(|(name, pattern)| Some((name.clone(), Condition::of(pattern)?)));
            headers.collect::<Option<Vec<_>>>()
        };
        Self {
            route: Route { primary: 100, canary: 0, mirrored: false },
            conditions: matches.iter().filter_map(headers).collect(),
            affinity,
            copies: if copies == 0 { 100 } else { u64::from(copies.min(100)) },
            interval,
            turn: 0,
            copied: 0,
        }
    }

    /// Traffic goes there from now on.
    pub(super) fn set(&mut self, route: Route) {
        self.route = route;
    }

    /// What becomes of a request with these headers.
    pub(super) fn choose(&mut self, header: &dyn Fn(&str) -> Option<String>) -> Choice {
        let matching = self.conditions.is_empty() || self.conditions.iter().any(|one| all_hold(one, header));
        if !matching {
            return Choice { side: Side::Primary, copied: false, cookie: None };
        }
        let copied = self.route.mirrored && self.copies_this();
        let (side, cookie) = match self.affinity.clone().filter(|_| self.conditions.is_empty()) {
            None => (self.drawn(), None),
            Some(affinity) => self.kept(&affinity, header("cookie").as_deref().unwrap_or_default()),
        };
        Choice { side, copied, cookie }
    }

    /// By the weights: of every hundred requests exactly so many, spread evenly.
    fn drawn(&mut self) -> Side {
        let weight = u64::try_from(self.route.canary.clamp(0, 100)).unwrap_or_default();
        self.turn += 1;
        if takes(weight, self.turn) { Side::Canary } else { Side::Primary }
    }

    fn copies_this(&mut self) -> bool {
        self.copied += 1;
        takes(self.copies, self.copied)
    }

    /// By the cookie where there is one that still counts; else by the weights, with a cookie.
    fn kept(&mut self, affinity: &SessionAffinity, cookies: &str) -> (Side, Option<String>) {
        let has = |name: &str| cookies.split(';').any(|one| one.trim() == format!("{name}={VISIT}"));
        let cookie = |name: &str, age: i64| Some(format!("{name}={VISIT}; Max-Age={age}"));
        if self.route.canary == 0 {
            let over = has(&affinity.cookie_name).then(|| cookie(&affinity.cookie_name, -1)).flatten();
            return (Side::Primary, over);
        }
        if has(&affinity.cookie_name) {
            return (Side::Canary, None);
        }
        if affinity.primary_cookie_name.as_deref().is_some_and(has) {
            return (Side::Primary, None);
        }
        match self.drawn() {
            Side::Canary => (Side::Canary, cookie(&affinity.cookie_name, i64::from(affinity.max_age))),
            Side::Primary => {
                let name = affinity.primary_cookie_name.as_deref();
                (Side::Primary, name.and_then(|name| cookie(name, self.interval as i64)))
            }
        }
    }
}

fn all_hold(conditions: &[(String, Condition)], header: &dyn Fn(&str) -> Option<String>) -> bool {
    conditions.iter().all(|(name, condition)| header(name).is_some_and(|value| condition.holds(&value)))
}

/// Whether the `n`-th, from 1, is among `percent` of every hundred.
const fn takes(percent: u64, n: u64) -> bool {
    n * percent / 100 > (n - 1) * percent / 100
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const fn route(canary: i64, mirrored: bool) -> Route {
        Route { primary: 100 - canary, canary, mirrored }
    }

    fn matching(header: &str, pattern: Pattern) -> Match {
        Match { headers: BTreeMap::from([(header.to_owned(), pattern)]), others: Vec::new() }
    }

    fn side(split: &mut Split, headers: &[(&str, &str)]) -> Side {
        let owned: BTreeMap<String, String> = headers.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        split.choose(&|name| owned.get(name).cloned()).side
    }

    #[test]
    fn of_every_hundred_requests_exactly_the_weight_goes_to_the_canary() {
        for weight in [0, 1, 5, 30, 50, 99, 100] {
            let mut split = Split::new(&[], None, 0, 60);
            split.set(route(weight, false));
            for _ in 0..3 {
                let to_canary = (0..100).filter(|_| side(&mut split, &[]) == Side::Canary).count();
                assert_eq!(to_canary as i64, weight);
            }
        }
    }

    #[test]
    fn only_requests_that_match_one_of_the_conditions_leave_the_primary() {
        let five = || matching("user-id", Pattern::Regex("(1|2|3|4|5)".to_owned()));
        let cookie = matching("cookie", Pattern::Regex("^(.*?;)?(canary=always)(;.*)?$".to_owned()));
        let mut split =
            Split::new(&[matching("x-canary", Pattern::Exact("true".to_owned())), five(), cookie], None, 0, 60);
        split.set(route(100, false));
        for (header, value, expected, why) in [
            ("x-canary", "true", Side::Canary, "the header"),
            ("x-canary", "false", Side::Primary, "another value"),
            ("user-id", "3", Side::Canary, "one of the users"),
            ("user-id", "33", Side::Primary, "all of the value must match"),
            ("cookie", "a=b;canary=always", Side::Canary, "one cookie of several"),
            ("cookie", "canary=never", Side::Primary, "another cookie"),
            ("accept", "*/*", Side::Primary, "none of it"),
        ] {
            assert_eq!(side(&mut split, &[(header, value)]), expected, "{why}");
        }
        split.set(route(0, false));
        assert_eq!(
            side(&mut split, &[("x-canary", "true")]),
            Side::Primary,
            "before the analysis nobody is sent there"
        );
        let both = Match {
            headers: BTreeMap::from([
                ("a".to_owned(), Pattern::Prefix("x".to_owned())),
                ("b".to_owned(), Pattern::Suffix("y".to_owned())),
            ]),
            others: Vec::new(),
        };
        let mut split = Split::new(&[both, matching("c", Pattern::Present)], None, 0, 60);
        split.set(route(100, false));
        assert_eq!(side(&mut split, &[("a", "x1"), ("b", "1y")]), Side::Canary);
        assert_eq!(side(&mut split, &[("a", "x1")]), Side::Primary, "all conditions of one must hold");
        assert_eq!(side(&mut split, &[("c", "")]), Side::Canary);
    }

    #[test]
    fn users_keep_to_the_release_that_they_met_until_it_is_over() {
        let affinity =
            SessionAffinity { cookie_name: "kept".into(), max_age: 86_400, primary_cookie_name: Some("old".into()) };
        let mut split = Split::new(&[], Some(affinity), 0, 60);
        split.set(route(50, false));
        let ask = |split: &mut Split, cookie: &str| {
            let choice = split.choose(&|name| (name == "cookie").then(|| cookie.to_owned()));
            (choice.side, choice.cookie.unwrap_or_default())
        };
        assert_eq!(ask(&mut split, ""), (Side::Primary, "old=rehearsed; Max-Age=60".to_owned()));
        assert_eq!(ask(&mut split, "a=b"), (Side::Canary, "kept=rehearsed; Max-Age=86400".to_owned()));
        for _ in 0..4 {
            assert_eq!(ask(&mut split, "a=b; kept=rehearsed"), (Side::Canary, String::new()));
            assert_eq!(ask(&mut split, "old=rehearsed"), (Side::Primary, String::new()));
        }
        split.set(route(0, false));
        assert_eq!(ask(&mut split, "kept=rehearsed"), (Side::Primary, "kept=rehearsed; Max-Age=-1".to_owned()));
        assert_eq!(ask(&mut split, ""), (Side::Primary, String::new()));
    }

    #[test]
    fn copies_are_made_only_while_the_canary_is_mirrored_and_of_no_more_than_wanted() {
        let mut split = Split::new(&[], None, 20, 60);
        let copies = |split: &mut Split| (0..100).filter(|_| split.choose(&|_| None).copied).count();
        assert_eq!(copies(&mut split), 0);
        split.set(route(0, true));
        assert_eq!(copies(&mut split), 20);
        let mut all = Split::new(&[], None, 0, 60);
        all.set(route(0, true));
        assert_eq!((copies(&mut all), side(&mut all, &[])), (100, Side::Primary));
    }
}
