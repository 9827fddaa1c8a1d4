//! A process of Concord: started, and looked at until it is over.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::apart::{Ending, Errand};
use super::service::{Service, answer};
use crate::spec::curl::Curl;

const PROCESSES: &str = "/api/v1/process";
/// The loadtester's pause between two looks.
const PAUSE: u64 = 5;
/// How long it waits for the end.
const PATIENCE: u64 = 30;
/// Keys that go with the start as they are, and the fields they become.
const FIELDS: [(&str, &str); 5] = [
    ("org", "org"),
    ("project", "project"),
    ("repo", "repo"),
    ("entrypoint", "entryPoint"),
    ("endpoint", "arguments.endpoint"),
];
/// Keys of arguments that the process gets.
const ARGUMENT: &str = "arguments.";

/// A process that is to be started.
#[derive(Clone, Debug)]
pub(super) struct Concord {
    service: Service,
    start: Curl,
    pause: Duration,
    patience: Duration,
}

impl Concord {
    /// Reads the metadata. The key is read from its file now.
    ///
    /// # Errors
    /// What to change, in the loadtester's words where it has some.
    pub(super) fn read(metadata: &BTreeMap<String, String>) -> Result<Self, String> {
        let given = |key: &str| {
            metadata.get(key).map(String::as_str).ok_or_else(|| format!("`{key}` is required with type concord"))
        };
        let server = given("server")?;
        let fields = FIELDS.map(|(key, field)| given(key).map(|value| (field.to_owned(), value)));
        let mut fields = fields.into_iter().collect::<Result<Vec<_>, _>>()?;
        let key = key(given("apiKeyPath")?)?;
        let pause = seconds(metadata, "pollInterval", PAUSE)?;
        let patience = seconds(metadata, "pollTimeout", PATIENCE)?;
        if metadata.contains_key("arguments.endpoint") {
            return Err("arguments.endpoint: give the endpoint with the key endpoint".to_owned());
        }
        let arguments = metadata.iter().filter(|(key, _)| key.starts_with(ARGUMENT));
        fields.extend(arguments.map(|(key, value)| (key.clone(), value.as_str())));
        let (kind, body) = form(&fields);
        let service = Service::at(server, key)?;
        let start = service.question("POST", PROCESSES, Some((&kind, &body)))?;
        Ok(Self { service, start, pause, patience })
    }

    /// What is asked first, of the server that all is asked of.
    pub(super) const fn start(&self) -> &Curl {
        &self.start
    }

    /// Starts the process and waits for its end.
    async fn follow(&self) -> Result<String, String> {
        let started = answer(&self.start).await.map_err(|why| format!("failed to start process: {why}"))?;
        let id = started["instanceId"].as_str().filter(|id| is_plain(id));
        let id = id.ok_or_else(|| format!("failed to start process: {} has no instanceId", short(&started)))?;
        tracing::info!(id, "concord process started");
        let look = self.service.question("GET", &format!("{PROCESSES}/{id}"), None)?;
        let ends = async {
            loop {
                tokio::time::sleep(self.pause).await;
                let process = answer(&look).await.map_err(|why| format!("failed checking status: {why}"))?;
                match process["status"].as_str().unwrap_or_default() {
                    "FINISHED" => return Ok(String::new()),
                    "FAILED" => return Err(format!("concord instanceID: {id} failed")),
                    over @ ("CANCELLED" | "TIMED_OUT") => {
                        return Err(format!("concord instanceID: {id} is over: {over}"));
                    }
                    _ => {}
                }
            }
        };
        let late = format!("concord process timed out, after {} seconds", self.patience.as_secs());
        tokio::time::timeout(self.patience, ends).await.unwrap_or(Err(late))
    }
}

impl Errand for Concord {
    async fn go(self, ending: Ending) -> Result<String, String> {
        ending.or(self.follow()).await
    }
}

/// What is in the key's file, without the space around it.
fn key(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("`apiKeyPath` file doesn't exist {path}"),
        _ => format!("`apiKeyPath` file cannot be read {path}: {error}"),
    })?;
    let key = text.trim();
    let sendable = !key.is_empty() && key.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if sendable { Ok(key.to_owned()) } else { Err(format!("`apiKeyPath` file holds no key {path}")) }
}

/// Whole seconds from one on.
fn seconds(metadata: &BTreeMap<String, String>, key: &str, usual: u64) -> Result<Duration, String> {
    let Some(text) = metadata.get(key) else { return Ok(Duration::from_secs(usual)) };
    let seconds: i64 = text.parse().map_err(|_| format!("unable to convert `{key}` to int: expected seconds"))?;
    let seconds = u64::try_from(seconds).ok().filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("`{key}`: expected 1 to 86400 seconds"))
}

/// The fields as a form of several parts: its content type, and itself.
fn form(fields: &[(String, &str)]) -> (String, String) {
    let boundaries = (0_u64..).map(|n| format!("tollgate-{n}"));
    let is_free = |boundary: &String| !fields.iter().any(|(_, value)| value.contains(boundary.as_str()));
    let boundary = boundaries.into_iter().find(is_free).unwrap_or_default();
    let escaped = |name: &str| name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut body = String::new();
    for (name, value) in fields {
        let name = escaped(name);
        body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// Whether it can stand in a path.
fn is_plain(id: &str) -> bool {
    (1..=100).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The beginning of an answer.
fn short(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_a_boundary_that_no_value_has() {
        let (kind, body) = form(&[("a\"\n".to_owned(), "--tollgate-0"), ("b".to_owned(), "x\r\ny")]);
        assert_eq!(kind, "multipart/form-data; boundary=tollgate-1");
        let part =
            |name, value| format!("--tollgate-1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        assert_eq!(body, part("a%22%0A", "--tollgate-0") + &part("b", "x\r\ny") + "--tollgate-1--\r\n");
    }

    #[test]
    fn an_id_stays_within_its_place_in_a_path() {
        for (id, plain) in [("d1e2-F_3", true), ("", false), ("a/b", false), ("..", false), ("a?x", false)] {
            assert_eq!(is_plain(id), plain, "{id:?}");
        }
    }
}
