//! What several benchmarks need: processes, servers, machines, tables.

pub(crate) mod arguments;
pub(crate) mod cgroup;
pub(crate) mod goals;
pub(crate) mod http;
pub(crate) mod machine;
pub(crate) mod nginx;
pub(crate) mod numbers;
pub(crate) mod process;
pub(crate) mod service;
pub(crate) mod table;
pub(crate) mod target;
pub(crate) mod tollgate;
pub(crate) mod usage;
