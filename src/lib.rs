//! tollgate makes load against a release, measures it honestly and says pass or fail with the reason.
//!
//! This library is the inside of the `tollgate` program, not a public API. The map, in the order data flows:
//!
//! * [`plan`]: what load to produce (target, schedule, lanes). Pure.
//! * [`proto`]: messages of gRPC services. Pure.
//! * [`wire`]: protocols behind one trait; a request goes out, a reply with its times comes back.
//! * [`load`]: the engine: clocks, lanes, workers, the run.
//! * [`stats`]: samples, counters, histograms, summaries. Pure.
//! * [`slo`]: the objective line, its exact arithmetic, the verdict. Pure.
//! * [`spec`]: what the user asked, from flags, as a plan and an objective. Pure.
//! * [`report`]: summary and verdict as text, JSON, CSV, JUnit and HTML; the live view. Pure.
//! * [`canary`]: who is released: name, namespace, phase, revision. Pure.
//! * [`yaml`]: YAML as a tree that knows where everything stands. Pure.
//! * [`flagger`]: what a Canary says, as Flagger takes it, and Flagger's controller tick by tick. Pure.
//! * [`smoke`]: smoke tests: a file of requests and what their answers must be. Pure.
//! * [`lint`]: what is wrong with a Canary before a cluster sees it. Pure.
//! * [`state`]: what outlives the process, in memory or in one file.
//! * [`gate`]: switches that Flagger asks about.
//! * [`task`]: runs: the load of one analysis, and the answers that Flagger gets from it.
//! * [`fetch`]: one request and all of its answer, to be looked at.
//! * [`exec`]: the commands in hooks: requests by curl and grep, and programs where they are allowed.
//! * [`telemetry`]: logs, and their level.
//! * [`server`]: the service that Flagger asks.
//! * [`pem`]: certificates and keys from files.
//! * [`outbound`]: single questions to other services.
//! * [`prometheus`]: numbers from a Prometheus, for the clauses that ask for them.
//! * [`practice`]: a canary server whose latency, errors and stalls are chosen, and which keeps the truth.
//! * [`rehearse`]: Flagger's analysis of a Canary, played on one machine.
//! * [`cli`]: the commands.

pub mod canary;
pub mod cli;
pub mod exec;
pub mod fetch;
pub mod flagger;
pub mod gate;
pub mod lint;
pub mod load;
pub mod outbound;
pub mod pem;
pub mod plan;
pub mod practice;
pub mod prometheus;
pub mod proto;
pub mod rehearse;
pub mod report;
pub mod server;
pub mod slo;
pub mod smoke;
pub mod spec;
pub mod state;
pub mod stats;
pub mod task;
pub mod telemetry;
pub mod wire;
pub mod yaml;
