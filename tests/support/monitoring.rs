//! Debian's Prometheus and Alertmanager, as processes of their own on free ports of this machine.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::service::{Answer, ask};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that answers HTTP; dropping it ends it.
pub(crate) struct Process {
    child: Child,
    pub(crate) addr: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Starts a program with this configuration and further files beside it; `None`, said aloud, without the program.
    fn start(program: &str, files: &[(&str, &str)], flags: impl Fn(SocketAddr) -> Vec<String>) -> Option<Self> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let path: Option<PathBuf> =
            std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file());
        let Some(path) = path else {
            eprintln!("skipped: {program} is not installed (Debian: {program})");
            return None;
        };
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(path);
        command.args(flags(addr)).current_dir(folder.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let process = Self { child, addr, _folder: folder };
        until(&format!("{program} is ready"), || {
            let reached = std::net::TcpStream::connect(addr).is_ok();
            (reached && process.get("/-/ready").status == 200).then_some(())
        });
        Some(process)
    }

    fn get(&self, path: &str) -> Answer {
        ask(self.addr, "GET", path, &[], b"")
    }
}

/// Looks again and again until there is something to see.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// A Prometheus.
pub(crate) struct Prometheus(Process);

impl Prometheus {
    /// One that scrapes a service every second, with these alert rules, told to an Alertmanager where there is one.
    pub(crate) fn start(scraped: SocketAddr, rules: &str, alertmanager: Option<SocketAddr>) -> Option<Self> {
        let alerting = alertmanager.map_or_else(String::new, |addr| {
            format!("alerting:\n  alertmanagers:\n    - static_configs: [{{targets: ['{addr}']}}]\n")
        });
        let configuration = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: [rules.yml]\n\
             {alerting}\
             scrape_configs:\n  - job_name: tollgate\n    static_configs: [{{targets: ['{scraped}']}}]\n"
        );
        let files = [("prometheus.yml", configuration.as_str()), ("rules.yml", rules)];
        let process = Process::start("prometheus", &files, |addr| {
            ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error"]
                .map(str::to_owned)
                .into_iter()
                .chain([format!("--web.listen-address={addr}")])
                .collect()
        });
        process.map(Self)
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.addr)
    }

    /// What a query answers now: each series' labels and its value.
    pub(crate) fn query(&self, query: &str) -> Vec<(BTreeMap<String, String>, f64)> {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
        let answer = self.0.get(&format!("/api/v1/query?{query}"));
        let answer: Value = serde_json::from_str(&unchunked(&answer)).unwrap();
        assert_eq!(answer["status"], "success", "{answer}");
        let of = |series: &Value| {
            let labels = serde_json::from_value(series["metric"].clone()).unwrap();
            (labels, series["value"][1].as_str().unwrap().parse().unwrap())
        };
        answer["data"]["result"].as_array().unwrap().iter().map(of).collect()
    }

    /// The one number that a query answers, if it is one.
    pub(crate) fn number(&self, query: &str) -> Option<f64> {
        match self.query(query).as_slice() {
            [(_, number)] => Some(*number),
            _ => None,
        }
    }
}

/// The body, in one piece.
fn unchunked(answer: &Answer) -> String {
    if !answer.headers.iter().any(|(name, value)| name == "Transfer-Encoding" && value == "chunked") {
        return answer.body.clone();
    }
    let (mut whole, mut rest) = (String::new(), answer.body.as_str());
    while let Some((length, more)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        whole.push_str(&more[..length]);
        rest = more[length..].trim_start_matches("\r\n");
    }
    whole
}

/// Starts an Alertmanager that posts every alert to this URL, soon and again and again.
pub(crate) fn alertmanager(receiver: &str) -> Option<Process> {
    let configuration = format!(
        "route: {{receiver: tollgate, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 5m}}\n\
         receivers:\n  - name: tollgate\n    webhook_configs: [{{url: '{receiver}', send_resolved: true}}]\n"
    );
    Process::start("prometheus-alertmanager", &[("alertmanager.yml", &configuration)], |addr| {
        ["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address=", "--log.level=error"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("--web.listen-address={addr}")])
            .collect()
    })
}
