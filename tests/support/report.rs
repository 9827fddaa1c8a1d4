//! The JSON report of a run: held to its schema and to itself, then read by path.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use super::tollgate::{Ended, run};

/// The published shape.
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

/// What `tollgate run -o json` printed.
#[derive(Debug)]
pub(crate) struct Report {
    json: Value,
    pub(crate) ended: Ended,
}

/// Runs `tollgate run -o json` with these arguments, separated by blanks, against a URL.
pub(crate) fn measure(arguments: &str, url: &str) -> Report {
    measure_with(arguments, &[], url)
}

/// The same with arguments that contain blanks themselves.
pub(crate) fn measure_with(arguments: &str, more: &[&str], url: &str) -> Report {
    let words = ["run", "-o", "json"].into_iter().chain(arguments.split_whitespace());
    Report::of(run(words.chain(more.iter().copied()).chain([url])))
}

impl Report {
    /// Reads a report and checks what holds of every one.
    pub(crate) fn of(ended: Ended) -> Self {
        let json = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("no report: {e}: {ended:#?}"));
        let report = Self { json, ended };
        report.keeps_its_schema();
        report.adds_up();
        report
    }

    fn keeps_its_schema(&self) {
        let wrong: Vec<String> =
            SCHEMA.iter_errors(&self.json).map(|error| format!("{} {error}", error.instance_path)).collect();
        assert!(wrong.is_empty(), "{wrong:#?}\n{self}");
    }

    /// Each finished request has one code, each fault and each success is one of them, and the exit code is the one
    /// that the report names.
    fn adds_up(&self) {
        let finished = self.count("/requests/finished");
        assert_eq!(self.map("/codes").values().sum::<u64>(), finished, "{self}");
        let faults: u64 = self.map("/faults").values().sum();
        assert!(self.count("/requests/succeeded") + faults <= finished, "{self}");
        let beyond = self.json.pointer("/latency_ms/beyond").and_then(Value::as_u64).unwrap_or(0);
        assert_eq!(beyond, self.map("/faults").get("timeout").copied().unwrap_or(0), "{self}");
        if let Some(code) = self.json.pointer("/verdict/exit_code").and_then(Value::as_i64) {
            assert_eq!(self.ended.code, i32::try_from(code).ok(), "{self}");
        }
    }

    /// The whole report.
    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    /// The whole number at a path such as `/requests/finished`.
    pub(crate) fn count(&self, path: &str) -> u64 {
        self.json.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no count at {path}\n{self}"))
    }

    /// The number at a path such as `/latency_ms/p99`.
    pub(crate) fn number(&self, path: &str) -> f64 {
        self.json.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {path}\n{self}"))
    }

    /// The text at a path such as `/verdict/decision`.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.json.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {path}\n{self}"))
    }

    /// The counts at a path such as `/codes`.
    pub(crate) fn map(&self, path: &str) -> BTreeMap<&str, u64> {
        let object = self.json.pointer(path).and_then(Value::as_object);
        let object = object.unwrap_or_else(|| panic!("no counts at {path}\n{self}"));
        object.iter().map(|(key, n)| (key.as_str(), n.as_u64().unwrap())).collect()
    }
}

/// What a failed assertion shows.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ended { code, stderr, peak_kib, .. } = &self.ended;
        write!(f, "exit {code:?}, {peak_kib} KiB\n{stderr}\n{:#}", self.json)
    }
}
