//! Reading settings: every mistake at once. Pure.

use std::fmt;

use super::behaviour::Behaviour;
use super::settings::SETTINGS;

/// A value that cannot be, with what can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The setting.
    pub key: String,
    /// What was given.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

impl Mistake {
    /// A mistake about `key`.
    #[must_use]
    pub fn new(key: &str, value: &str, allowed: impl Into<String>) -> Self {
        Self { key: key.to_owned(), value: value.to_owned(), allowed: allowed.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.value.is_empty() {
            write!(f, "--{}: {}", self.key, self.allowed)
        } else {
            write!(f, "--{} {:?}: {}", self.key, self.value, self.allowed)
        }
    }
}

impl Behaviour {
    /// Reads settings given as (name, value) pairs; a switch takes an empty value.
    ///
    /// # Errors
    /// Every mistake at once: unknown names, values that are not allowed, settings that contradict each other or
    /// have no effect.
    pub fn parse<'a>(settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<Mistake>> {
        let mut behaviour = Self::default();
        let mut mistakes = Vec::new();
        let mut given = Vec::new();
        for (key, value) in settings {
            given.push(key);
            match SETTINGS.iter().find(|setting| setting.key == key) {
                None => mistakes.push(Mistake::new(key, value, "no such setting")),
                Some(setting) => {
                    let wanted = !setting.value.is_empty() || value.is_empty();
                    if !wanted || (setting.set)(&mut behaviour, value).is_none() {
                        mistakes.push(Mistake::new(key, value, setting.allowed));
                    }
                }
            }
        }
        if mistakes.is_empty() {
            mistakes = behaviour.contradictions(&given);
        }
        if mistakes.is_empty() { Ok(behaviour) } else { Err(mistakes) }
    }

    /// Settings that are allowed one by one but not together.
    fn contradictions(&self, given: &[&str]) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let has = |key: &str| given.contains(&key);
        for (key, needs) in [
            ("error-status", &["errors", "bad-connections"][..]),
            ("errors-random", &["errors"]),
            ("burst", &["errors"]),
            ("stall-phase", &["stall"]),
            ("grpc-status", &["errors", "bad-connections"]),
            ("grpc-errors", &["errors", "bad-connections"]),
            ("not-serving-service", &["not-serving"]),
            ("tls-cert", &["tls"]),
            ("tls-cert", &["tls-key"]),
            ("tls-key", &["tls-cert"]),
            ("tls-ca-out", &["tls"]),
            ("tls-bad", &["tls"]),
            ("tls-client", &["tls"]),
            ("tls-client-out", &["tls-client"]),
        ] {
            if has(key) && !needs.iter().any(|need| has(need)) {
                mistakes.push(Mistake::new(key, "", format!("has no effect without --{}", needs[0])));
            }
        }
        if self.shape.http10 && self.shape.chunked {
            mistakes.push(Mistake::new(
                "chunked",
                "",
                "HTTP/1.0 has no chunked bodies: leave out --chunked or --http10",
            ));
        }
        if self.tls.bad.is_some() && self.tls.files.is_some() {
            let allowed = "a certificate from files is as it is: leave out --tls-bad or --tls-cert and --tls-key";
            mistakes.push(Mistake::new("tls-bad", "", allowed));
        }
        if self.fault_ratio() > 1.0 + 1e-9 {
            let names: Vec<&str> = self.faults.iter().map(|(fault, _)| fault.name()).collect();
            let sum = (self.fault_ratio() * 1e6).round() / 1e4;
            let allowed = format!("the shares of {} add up to {sum}%; at most 100%", names.join(", "));
            mistakes.push(Mistake::new(names[names.len() - 1], "", allowed));
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::practice::behaviour::{BadKind, Cycle};
    use crate::practice::fault::Fault;
    use crate::practice::value::Share;
    use std::collections::BTreeSet;
    use std::time::Duration;

    /// A setting, values it takes, and values it refuses.
    const EXAMPLES: &[(&str, &[&str], &[&str])] = &[
        ("listen", &["127.0.0.1", "::1", "0.0.0.0"], &["localhost", "127.0.0.1:80", ""]),
        ("port", &["0", "9898", "65535"], &["65536", "-1", "http", ""]),
        ("seed", &["0", "18446744073709551615"], &["-1", "x", "18446744073709551616"]),
        ("latency", &["20ms", "pareto:5ms,1.5"], &["20", "slow"]),
        ("slow-start", &["2s:500ms", "0:0"], &["2s", "2s:", "500ms:x"]),
        ("stall", &["1s/5s"], &["5s/5s", "0s/5s", "6s/5s", "1s"]),
        ("errors", &["2%", "0", "100%"], &["2", "101%", "-1%", ""]),
        ("reset", &["1%"], &["many"]),
        ("close", &["1%"], &["many"]),
        ("truncate", &["1%"], &["many"]),
        ("truncate-chunked", &["1%"], &["many"]),
        ("garbage", &["1%"], &["many"]),
        ("hang", &["100%"], &["many"]),
        ("hang-all", &[""], &["yes"]),
        ("slow-body", &["10B/s", "1KiB/s:5%", "1/s"], &["0B/s", "10B", "10B/s:x", "10B/m"]),
        ("endless-headers", &["100%"], &["many"]),
        ("huge-body", &["10GiB", "0", "1MiB:1%"], &["big", "1MiB:200%"]),
        ("close-after", &["0", "20", "1KiB:5%"], &["x", "-1"]),
        ("malformed", &["excess", "both-lengths:50%"], &["odd", "excess:x", ""]),
        ("body-size", &["0", "1KiB", "1MiB"], &["2MiB", "x"]),
        ("chunked", &[""], &["yes"]),
        ("http10", &[""], &["yes"]),
        ("continue", &[""], &["yes"]),
        ("early-answer", &[""], &["yes"]),
        ("connection-close", &[""], &["yes"]),
        ("keep-alive-max", &["1", "100"], &["0", "x"]),
        ("max-connections", &["1"], &["0", "x"]),
        ("huge-headers", &["0", "64KiB", "16MiB:1%"], &["17MiB", "x", "1KiB:x"]),
        ("rst-stream", &["cancel", "refused-stream:2%", "8", "4294967295:1/2"], &["2%", "Cancel", "-1", "4294967296"]),
        ("rst-body", &["internal-error", "0:1%"], &["x", ""]),
        ("settings-flood", &["100%"], &["all"]),
        ("missing-trailers", &["1/2"], &["x"]),
        ("no-grpc-status", &["1/2"], &["x"]),
        ("no-message", &["1/2"], &["x"]),
        ("not-serving", &["100%", "1/2"], &["x", "2"]),
        ("protocol", &["http1", "http2", "both"], &["http3", "h2", ""]),
        ("tls", &[""], &["yes"]),
        ("max-streams", &["1", "1000000"], &["0", "1000001", "x"]),
        ("window", &["0", "8", "64KiB", "2147483647"], &["2147483648", "-1", "x"]),
        ("goaway", &["1"], &["0", "x"]),
        ("bad-connections", &["1/10", "10%:errors", "1/10:latency=1s"], &["1/10:slow", "x", "1/10:latency=x"]),
    ];

    #[test]
    fn every_setting_takes_its_example_and_refuses_nonsense() {
        for (key, right, wrong) in EXAMPLES {
            for value in *right {
                assert!(Behaviour::parse([(*key, *value)]).is_ok(), "--{key} {value}");
            }
            for value in *wrong {
                let mistakes = Behaviour::parse([(*key, *value)]).expect_err(value);
                assert_eq!((mistakes.len(), mistakes[0].key.as_str()), (1, *key), "{mistakes:?}");
                assert_eq!(mistakes[0].value, *value);
            }
        }
        let dependent = [
            "error-status",
            "errors-random",
            "burst",
            "stall-phase",
            "grpc-status",
            "grpc-errors",
            "not-serving-service",
        ];
        let of_tls = ["tls-cert", "tls-key", "tls-ca-out", "tls-bad", "tls-client", "tls-client-out"];
        let tested: BTreeSet<&str> = EXAMPLES.iter().map(|(key, ..)| *key).chain(dependent).chain(of_tls).collect();
        assert_eq!(tested, SETTINGS.iter().map(|setting| setting.key).collect());
    }

    #[test]
    fn values_land_where_they_belong() {
        let behaviour = Behaviour::parse([
            ("port", "9898"),
            ("errors", "2%"),
            ("error-status", "503"),
            ("burst", "10s/60s"),
            ("slow-body", "1KiB/s:5%"),
            ("hang", "0"),
            ("bad-connections", "1/10"),
            ("body-size", "1KiB"),
        ])
        .unwrap();
        assert_eq!((behaviour.port, behaviour.errors.status), (9898, 503));
        assert_eq!(behaviour.errors.share.of(1000), 20);
        let minute = Duration::from_secs(60);
        assert_eq!(behaviour.errors.burst, Some(Cycle { on: Duration::from_secs(10), period: minute }));
        assert_eq!(behaviour.faults, [(Fault::SlowBody(1024), Share::new(5, 100).unwrap())]);
        let bad = behaviour.bad_connections.unwrap();
        assert_eq!((bad.share.of(100), bad.kind), (10, BadKind::Latency(Duration::from_millis(500))));
        assert_eq!(behaviour.shape.body_bytes, Some(1024));
    }

    #[test]
    fn all_mistakes_come_at_once_each_with_key_value_and_what_is_allowed() {
        let mistakes = Behaviour::parse([("errors", "2x"), ("stall", "9s/5s"), ("colour", "red"), ("http10", "yes")]);
        let lines: Vec<String> = mistakes.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "--errors \"2x\": a share of requests such as 2%, 0.02 or 1/50, from 0 to 100%",
                "--stall \"9s/5s\": LENGTH/PERIOD such as 1s/5s, the length above 0 and below the period",
                "--colour \"red\": no such setting",
                "--http10 \"yes\": it takes no value",
            ]
        );
    }

    #[test]
    fn settings_that_contradict_each_other_or_do_nothing_are_mistakes() {
        for (settings, message) in [
            (
                &[("http10", ""), ("chunked", "")][..],
                "--chunked: HTTP/1.0 has no chunked bodies: leave out --chunked or --http10",
            ),
            (&[("reset", "60%"), ("hang", "50%")], "--hang: the shares of reset, hang add up to 110%; at most 100%"),
            (&[("error-status", "503")], "--error-status: has no effect without --errors"),
            (&[("errors-random", "")], "--errors-random: has no effect without --errors"),
            (&[("burst", "1s/5s")], "--burst: has no effect without --errors"),
            (&[("grpc-status", "13")], "--grpc-status: has no effect without --errors"),
            (&[("grpc-errors", "http")], "--grpc-errors: has no effect without --errors"),
            (&[("tls-ca-out", "ca.pem")], "--tls-ca-out: has no effect without --tls"),
            (&[("tls-bad", "expired")], "--tls-bad: has no effect without --tls"),
            (&[("tls-client", "")], "--tls-client: has no effect without --tls"),
            (&[("tls", ""), ("tls-cert", "c")], "--tls-cert: has no effect without --tls-key"),
            (&[("tls", ""), ("tls-key", "k")], "--tls-key: has no effect without --tls-cert"),
            (&[("tls", ""), ("tls-client-out", "c")], "--tls-client-out: has no effect without --tls-client"),
            (
                &[("tls", ""), ("tls-bad", "old")],
                "--tls-bad \"old\": expired, not-yet-valid, wrong-name, self-signed or foreign",
            ),
            (&[("tls", ""), ("tls-ca-out", "")], "--tls-ca-out: a file name"),
            (
                &[("tls", ""), ("tls-cert", "c"), ("tls-key", "k"), ("tls-bad", "expired")],
                "--tls-bad: a certificate from files is as it is: leave out --tls-bad or --tls-cert and --tls-key",
            ),
            (&[("stall-phase", "1s")], "--stall-phase: has no effect without --stall"),
        ] {
            let mistakes = Behaviour::parse(settings.iter().copied()).unwrap_err();
            assert_eq!(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>(), [message]);
        }
        assert!(Behaviour::parse([("errors", "10%"), ("slow-body", "10B/s")]).is_ok(), "an error may be slow");
    }
}
