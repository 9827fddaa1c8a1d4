//! The arithmetic of the benchmarks, which have no test harness of their own: a table made wrongly is a wrong table.

mod of_peers;
mod of_truth;
mod peers;
mod truth;
