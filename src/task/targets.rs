//! Where loads may go. Whoever can post a hook can make requests from inside the cluster, so addresses that hand out
//! credentials to whoever is near are refused, and everything else can be. Where names and redirects lead is looked at when
//! a connection is made: a fenced engine makes none to such an address.

use std::net::IpAddr;

use regex::Regex;

use crate::plan::{Host, Plan, Via, is_near};

/// The targets that are allowed.
#[derive(Clone, Debug, Default)]
pub struct Targets(Option<Regex>);

impl Targets {
    /// Those whose `host:port` the expression matches from its first to its last character, link-local addresses too.
    ///
    /// # Errors
    /// It is no regular expression.
    pub fn matching(expression: &str) -> Result<Self, regex::Error> {
        Regex::new(&format!("^(?:{expression})$")).map(|regex| Self(Some(regex)))
    }

    /// Whether a plan's load may go where it wants to.
    ///
    /// # Errors
    /// The first place that is not allowed, and why.
    pub fn admit(&self, plan: &Plan) -> Result<(), String> {
        for target in &plan.targets {
            let origin = &target.origin;
            self.check(&origin.to_string(), &origin.host)?;
            for address in &origin.pinned {
                self.pinned(address.ip())?;
            }
        }
        match &plan.via {
            Via::Direct => Ok(()),
            Via::Proxy(proxy) => self.check(&format!("{}:{}", proxy.host, proxy.port), &proxy.host),
            Via::Unix(_) => Err("target: a unix socket is none that a hook may ask for".to_owned()),
        }
    }

    fn check(&self, place: &str, host: &Host) -> Result<(), String> {
        match (&self.0, host) {
            (Some(allowed), _) if allowed.is_match(place) => Ok(()),
            (Some(_), _) => Err(format!("target: {place} is not one that --allow-target allows")),
            (None, Host::Ip(address)) => self.pinned(*address),
            (None, Host::Name(_)) => Ok(()),
        }
    }

    fn pinned(&self, address: IpAddr) -> Result<(), String> {
        if is_near(address) && !self.0.as_ref().is_some_and(|allowed| allowed.is_match(&address.to_string())) {
            return Err(format!(
                "target: {address} is link-local, where clouds hand out credentials: --allow-target can allow it"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Id, SpecBuilder};

    fn plan(url: &str, resolve: Option<&str>) -> Plan {
        let mut wishes = SpecBuilder::new();
        wishes.give(Id::Url, url);
        if let Some(resolve) = resolve {
            wishes.give(Id::Resolve, resolve);
        }
        wishes.build(&|_| Err(std::io::Error::other("no files"))).unwrap().plan
    }

    #[test]
    fn everything_is_allowed_but_where_credentials_are_handed_out() {
        for (url, allowed) in [
            ("http://podinfo-canary.test:9898/", true),
            ("http://10.0.0.1/", true),
            ("http://127.0.0.1:8080/", true),
            ("http://169.254.169.254/latest/meta-data", false),
            ("http://[fe80::1]/", false),
            ("http://[::ffff:169.254.169.254]/", false),
            ("http://[fd00:ec2::254]/", false),
            ("http://[fd00::1]/", true),
        ] {
            assert_eq!(Targets::default().admit(&plan(url, None)).is_ok(), allowed, "{url}");
        }
        let pinned = plan("http://podinfo.test/", Some("podinfo.test:80:169.254.169.254"));
        let refused = Targets::default().admit(&pinned).unwrap_err();
        assert!(refused.starts_with("target: 169.254.169.254 is link-local"), "{refused}");
    }

    #[test]
    fn an_expression_must_match_the_whole_of_host_and_port() {
        let targets = Targets::matching(r"[a-z-]+\.test(:80|:9898)|169\.254\.1\.1:80").unwrap();
        for (url, allowed) in [
            ("http://podinfo-canary.test:9898/", true),
            ("http://podinfo.test/", true),
            ("http://podinfo.test:8080/", false),
            ("http://podinfo.test.evil.example/", false),
            ("http://evil.example/?podinfo.test:80", false),
            ("http://169.254.1.1/", true),
            ("http://169.254.1.2/", false),
        ] {
            assert_eq!(targets.admit(&plan(url, None)).is_ok(), allowed, "{url}");
        }
        let pinned = plan("http://podinfo.test/", Some("podinfo.test:80:169.254.169.254"));
        assert!(targets.admit(&pinned).is_err(), "a name that is allowed does not allow the address");
        assert!(Targets::matching("(").is_err());
    }
}
