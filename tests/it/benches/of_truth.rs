//! The pure files of `benches/truth`.

#[path = "../../../benches/truth/cells.rs"]
pub(super) mod cells;
#[path = "../../../benches/truth/tools.rs"]
pub(super) mod tools;
#[path = "../../../benches/truth/truth.rs"]
pub(super) mod truth;
