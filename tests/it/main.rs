//! Tests that may run side by side; those that make load are in `tests/load`.

// `cfg(test)` is always on here; the lints look for it to know that helpers, too, are tests.
#[cfg(test)]
mod benches;
#[cfg(test)]
#[path = "../support/calls.rs"]
mod calls;
#[cfg(test)]
#[path = "../support/certificates.rs"]
mod certificates;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod compared;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod controller;
#[cfg(test)]
mod cuts;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod docs;
#[cfg(test)]
#[path = "../support/flagger.rs"]
mod flagger;
#[cfg(test)]
mod framing;
#[cfg(test)]
mod ghz;
#[cfg(test)]
mod grpcio;
#[cfg(test)]
mod haproxy;
#[cfg(test)]
mod hey;
#[cfg(test)]
mod https;
#[cfg(test)]
mod identified;
#[cfg(test)]
mod interrupted;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod live;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod methods;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod nginx;
#[cfg(test)]
#[path = "../support/nobody.rs"]
mod nobody;
#[cfg(test)]
#[path = "../support/openapi.rs"]
mod openapi;
#[cfg(test)]
#[path = "../support/original.rs"]
mod original;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
#[path = "../support/practice.rs"]
mod practice;
#[cfg(test)]
mod proxies;
#[cfg(test)]
#[path = "../support/proxy.rs"]
mod proxy;
#[cfg(test)]
mod python;
#[cfg(test)]
#[path = "../support/raw.rs"]
mod raw;
#[cfg(test)]
mod rehearse;
#[cfg(test)]
#[path = "../support/report.rs"]
mod report;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod schedule;
#[cfg(test)]
#[path = "../support/secure.rs"]
mod secure;
#[cfg(test)]
mod selected;
#[cfg(test)]
mod sent;
#[cfg(test)]
mod server;
#[cfg(test)]
#[path = "../support/service.rs"]
mod service;
#[cfg(test)]
mod shells;
#[cfg(test)]
mod smoke;
#[cfg(test)]
mod source;
#[cfg(test)]
mod targets;
#[cfg(test)]
#[path = "../support/tollgate.rs"]
mod tollgate;
#[cfg(test)]
mod unreached;
#[cfg(test)]
mod wires;
