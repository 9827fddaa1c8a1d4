//! A service that is asked for things to be done, and answers in JSON.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::check::asked;
use crate::fetch::fetch;
use crate::spec::curl::{self, Curl};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where it is, and what it is shown. Its certificate is verified; redirects are not followed.
#[derive(Clone, Debug)]
pub(super) struct Service {
    base: Url,
    authorization: String,
}

impl Service {
    /// The one at an address, which gets this `Authorization`.
    ///
    /// # Errors
    /// It is no address of HTTP.
    pub(super) fn at(server: &str, authorization: String) -> Result<Self, String> {
        let url = Url::parse(server).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let base = url.ok_or("server: expected an address such as http://HOST:PORT")?;
        Ok(Self { base, authorization })
    }

    /// A path below its address, or instead of the address's own where it begins with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        self.base.join(path).map_or_else(|_| self.base.to_string(), String::from)
    }

    /// A request that it can be sent.
    ///
    /// # Errors
    /// It cannot be one.
    pub(super) fn question(&self, method: &str, path: &str, body: Option<(&str, &str)>) -> Result<Curl, String> {
        let limit = PATIENCE.as_secs().to_string();
        let authorization = format!("Authorization: {}", self.authorization);
        let url = self.url(path);
        let mut words = vec!["-X", method, "-g", "-m", &limit, "-H", &authorization, "--url", &url];
        let content_type = body.map(|(kind, _)| format!("Content-Type: {kind}"));
        if let Some((kind, (_, text))) = content_type.as_deref().zip(body) {
            words.extend(["-H", kind, "--data-raw", text]);
        }
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        curl::read(&words).map_err(|error| format!("server: {error}"))
    }
}

/// Asks, and reads the answer.
///
/// # Errors
/// There is none, or one that says no, or one that is no JSON.
pub(super) async fn answer(question: &Curl) -> Result<Value, String> {
    let url = &question.plan.targets[0].url;
    let fetched = fetch(asked(question, &Arc::default())).await;
    if let Some(why) = fetched.trouble() {
        return Err(format!("{url}: {why}"));
    }
    let status = fetched.status().unwrap_or_default();
    if !(200..300).contains(&status) {
        return Err(format!("{url} answered {status}{}", fetched.beginning()));
    }
    serde_json::from_slice(&fetched.body)
        .map_err(|_| format!("{url} answered {status} with what is no JSON{}", fetched.beginning()))
}
