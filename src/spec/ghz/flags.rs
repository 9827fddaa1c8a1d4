//! ghz's flags: which are read, which change nothing here, and which ask for what is not done.

use crate::spec::kingpin::Flag;

/// What becomes of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is read.
    Read,
    /// It is taken and changes nothing, for this reason.
    Without(&'static str),
    /// It is refused, with this advice.
    Refused(&'static str),
}

const fn text(name: &'static str, short: Option<char>) -> (Flag, Use) {
    (Flag { name, short, switch: false }, Use::Read)
}

const fn switch(name: &'static str, short: Option<char>) -> (Flag, Use) {
    (Flag { name, short, switch: true }, Use::Read)
}

const fn without(name: &'static str, switch: bool, why: &'static str) -> (Flag, Use) {
    (Flag { name, short: None, switch }, Use::Without(why))
}

const fn refused(name: &'static str, switch: bool, advice: &'static str) -> (Flag, Use) {
    (Flag { name, short: None, switch }, Use::Refused(advice))
}

const STAGES: &str = "tollgate run --stage makes load whose rate changes";
const ONE_MESSAGE: &str = "the messages of a stream are sent one after the other, as they are given";
const GO: &str = "{{counter}}, {{uuid}}, {{range:1..5}} and {{pick:a,b}} are what is drawn here";

/// All flags that ghz 0.120 knows, and `-q`, which is hey's: Flagger's documentation gives it to ghz.
pub(super) const FLAGS: [(Flag, Use); 61] = [
    text("proto", None),
    text("protoset", None),
    text("call", None),
    text("import-paths", Some('i')),
    switch("insecure", None),
    switch("skipTLS", None),
    text("cacert", None),
    text("cert", None),
    text("key", None),
    text("cname", None),
    text("authority", None),
    text("rps", Some('r')),
    text("q", Some('q')),
    text("concurrency", Some('c')),
    text("total", Some('n')),
    text("timeout", Some('t')),
    text("duration", Some('z')),
    text("max-duration", Some('x')),
    text("data", Some('d')),
    text("data-file", Some('D')),
    text("binary-file", Some('B')),
    text("metadata", Some('m')),
    text("metadata-file", Some('M')),
    text("output", Some('o')),
    text("format", Some('O')),
    text("connections", None),
    text("name", None),
    text("tags", None),
    text("cpus", None),
    switch("count-errors", None),
    switch("version", Some('v')),
    (Flag { name: "help", short: Some('h'), switch: true }, Use::Read),
    without("duration-stop", false, "calls under way at the end are waited for, and count"),
    without("connect-timeout", false, "a connection may take as long as a call: --timeout"),
    without("keepalive", false, "a connection is used all the time"),
    without("max-send-message-size", false, "a message is sent whatever its size"),
    without("lb-strategy", false, "connections are spread over all addresses of the host anyway"),
    without("reflect-metadata", false, "questions about the server itself have the metadata of the calls"),
    without("disable-template-functions", true, GO),
    without("disable-template-data", true, GO),
    (Flag { name: "binary", short: Some('b'), switch: true }, Use::Refused("nothing is read from standard input")),
    (Flag { name: "enable-compression", short: Some('e'), switch: true }, Use::Read),
    text("max-recv-message-size", None),
    refused("config", false, "give the flags themselves"),
    refused("async", true, "a rate holds whatever the answers do, without it"),
    refused("load-schedule", false, STAGES),
    refused("load-start", false, STAGES),
    refused("load-step", false, STAGES),
    refused("load-end", false, STAGES),
    refused("load-step-duration", false, STAGES),
    refused("load-max-duration", false, STAGES),
    refused("concurrency-schedule", false, STAGES),
    refused("concurrency-start", false, STAGES),
    refused("concurrency-end", false, STAGES),
    refused("concurrency-step", false, STAGES),
    refused("concurrency-step-duration", false, STAGES),
    refused("concurrency-max-duration", false, STAGES),
    refused("stream-interval", false, ONE_MESSAGE),
    refused("stream-call-duration", false, "--timeout ends a call"),
    refused("stream-call-count", false, ONE_MESSAGE),
    refused("skipFirst", false, "tollgate run --warmup leaves the beginning out"),
];

/// What is printed with every message, and for `--help`.
pub const USAGE: &str = "\
usage: ghz [<flags>] [<host>]

The call:
      --call=PACKAGE.SERVICE/METHOD  Default is grpc.health.v1.Health/Check.
      --proto=FILE           A .proto file that has it; -i, --import-paths=FOLDER,... is where its imports lie.
      --protoset=FILE        Its descriptors. Without either, the server is asked (reflection).
  -d, --data=JSON            The message, or an array of them; -D, --data-file=FILE reads it from a file.
  -B, --binary-file=FILE     The message as it is sent.
  -m, --metadata=JSON        Metadata, {\"name\": \"value\"}; -M, --metadata-file=FILE reads them from a file.
      --authority=HOST       Value of :authority.
  -e, --enable-compression   Messages are compressed with gzip.
      --max-recv-message-size=4MiB

How much:
  -n, --total=200            Calls.
  -c, --concurrency=50       Workers, each with one call under way.
  -r, --rps=0                Calls a second over all workers; 0 is as fast as they are answered.
  -z, --duration=0           How long; -n has no effect then.
  -x, --max-duration=0       How long at most.
  -t, --timeout=20s          Longest wait for an answer.
      --connections=1        Connections; no more than -c.
      --cpus=N               Threads that send. Default is one for each CPU.

The way:
      --insecure             Without TLS.
      --skipTLS              TLS, whatever the certificate.
      --cacert, --cert, --key, --cname

The report:
  -O, --format=summary       summary, csv, json or pretty.
  -o, --output=FILE          Default is standard output.
      --name, --tags         Repeated in JSON.
      --count-errors         Answers with an error are in the times, too.

This is tollgate in the place of ghz: docs/migrating.md says what differs.
";
