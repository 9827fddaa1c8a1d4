//! Bodies as Go itself reads them: the same bytes go through Go's decoder and through ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::source::root;
use tollgate::server::Payload;

/// What decodes hooks in Go: bodies in Base64, one a line; out comes JSON, or `null` for a body that is refused.
const PROGRAM: &str = r#"
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
)

type hook struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Checksum  string            `json:"checksum"`
	Metadata  map[string]string `json:"metadata,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		body, _ := base64.StdEncoding.DecodeString(lines.Text())
		var h hook
		if json.Unmarshal(body, &h) != nil {
			fmt.Println("null")
			continue
		}
		out, _ := json.Marshal(h)
		fmt.Println(string(out))
	}
}
"#;

/// What Go makes of the bodies; `None`, said aloud, without Go.
fn by_go(bodies: &[Vec<u8>]) -> Option<Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("hooks.go");
    std::fs::write(&source, PROGRAM).unwrap();
    let mut command = Command::new("go");
    command.arg("run").arg(&source).env("GOFLAGS", "-mod=mod").env("GO111MODULE", "off").env("GOTOOLCHAIN", "local");
    let child = command.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: Go is not installed (Debian: golang-go)");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let lines: String = bodies.iter().map(|body| STANDARD.encode(body) + "\n").collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "go run failed");
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What ours makes of a body, in the same form. Phase and checksum are left out: ours keeps a phase that it knows.
fn by_us(body: &[u8]) -> Value {
    match Payload::read(body) {
        Err(_) => Value::Null,
        Ok(read) => json!({"name": read.canary.name, "namespace": read.canary.namespace,
            "checksum": read.checksum.to_string(), "metadata": read.metadata}),
    }
}

/// Bodies that are text.
const TEXTS: &[&str] = &[
    r#"{"name":"a","namespace":"b"}"#,
    r#"{"NAME":"a","NameSpace":"b","CHECKſUM":"c"}"#,
    r#"{"checKsum":"kelvin","CHECKSUM":"last"}"#,
    r#"{"name":"a","name":"b","Name":"c"}"#,
    r#"{"name":"a","name":null}"#,
    r#"{"metadata":{"a":"1"},"metadata":{"b":"2"}}"#,
    r#"{"metadata":{"a":"1"},"metadata":null}"#,
    r#"{"metadata":{"a":null,"A":"x","a ":"y"}}"#,
    r#"{"metadata":{"a":"x","a":null}}"#,
    r#"{"metadata":{"a":1}}"#,
    r#"{"metadata":{"a":true}}"#,
    r#"{"metadata":{"a":{}}}"#,
    r#"{"metadata":[]}"#,
    r#"{"metadata":"x"}"#,
    r#"{"name":1}"#,
    r#"{"phase":1}"#,
    r#"{"checksum":[]}"#,
    r#"{"x":1e999,"y":[{"z":null}],"name":"a"}"#,
    r#"{"x":01}"#,
    r#"{"x":.5}"#,
    r#"{"x":-}"#,
    r#"{"name":"\u0041\ud83d\ude00\ud83d\u00e9\ude00\ud83d"}"#,
    r#"{"name":"\\ud83d \\\ud83d"}"#,
    r#"{"name":"\uD83Dx\uD83D\uD83D\uDE00"}"#,
    r#"{"name":"\uzzzz"}"#,
    r#"{"name":"\x41"}"#,
    r#"{"\u006eame":"escaped"}"#,
    r#"{"name":"\/\b\f\n\r\t\""}"#,
    "{\"name\":\"a\nb\"}",
    "{\"name\":\"a\u{7f}b\"}",
    "{\"name\":\"\u{2028}\"}",
    " \t\r\n{ } \n",
    "\u{b}{}",
    "\u{feff}{}",
    "{}{}",
    "{},",
    "null",
    "[]",
    "5",
    "true",
    "\"x\"",
    "nul",
    "",
    " ",
    "{",
    r#"{"name":"a",}"#,
    r#"{"name":"a"#,
    r#"{name:"a"}"#,
    "{'name':'a'}",
    r#"{"":"x"}"#,
    r#"{"name":""}"#,
];

/// Bodies that are not.
const BYTES: &[&[u8]] = &[
    b"{\"name\":\"a\xffb\"}",
    b"{\"name\":\"a\xe2\x82b\"}",
    b"{\"name\":\"\xed\xa0\x80\"}",
    b"{\"n\xffame\":\"a\"}",
    b"{\"metadata\":{\"\xff\":\"\xf0\x9f\x98\"}}",
    b"\xff{}",
];

fn table() -> Vec<Vec<u8>> {
    TEXTS.iter().map(|text| text.as_bytes()).chain(BYTES.iter().copied()).map(<[u8]>::to_vec).collect()
}

/// The hooks of Flagger's own, each with one byte exchanged, taken out or put in, in many places.
fn mutations() -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(root().join("tests/data/flagger-hooks.jsonl")).unwrap();
    let bytes = b"\"\\{}[],:nu0 d8\x00\xff\xe2/";
    let mut draw = 1_u64;
    let mut next = move |below: usize| {
        // A linear congruential generator; the constants are Knuth's.
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (draw >> 33) as usize % below
    };
    let mut mutations = Vec::new();
    for line in text.lines() {
        let whole = line.as_bytes();
        for _ in 0..20 {
            let mut body = whole.to_vec();
            let at = next(body.len());
            let byte = bytes[next(bytes.len())];
            match next(3) {
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                _ => body.insert(at, byte),
            }
            mutations.push(body);
        }
    }
    mutations
}

#[test]
fn what_go_reads_is_what_we_read() {
    let bodies: Vec<Vec<u8>> = table().into_iter().chain(mutations()).collect();
    let Some(expected) = by_go(&bodies) else { return };
    assert_eq!(expected.len(), bodies.len());
    let read = expected.iter().filter(|value| !value.is_null()).count();
    assert!(read > bodies.len() / 10 && read < bodies.len(), "both kinds: {read} of {}", bodies.len());
    for (body, mut expected) in bodies.iter().zip(expected) {
        if let Some(members) = expected.as_object_mut() {
            members.remove("phase");
            members.entry("metadata").or_insert_with(|| json!({}));
        }
        assert_eq!(by_us(body), expected, "{}", String::from_utf8_lossy(body));
    }
}
