//! The arithmetic of the benchmarks, which have no test harness of their own: a table made wrongly is a wrong table.

#[path = "../../../benches/support/numbers.rs"]
mod numbers;
mod peers;
#[path = "../../../benches/peers/rounds.rs"]
mod rounds;
#[path = "../../../benches/peers/tools.rs"]
mod tools;
