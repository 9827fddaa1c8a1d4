//! The pure files of `benches/peers`.

#[path = "../../../benches/support/numbers.rs"]
pub(super) mod numbers;
#[path = "../../../benches/peers/rounds.rs"]
pub(super) mod rounds;
#[path = "../../../benches/peers/scenes.rs"]
pub(super) mod scenes;
#[path = "../../../benches/peers/tools.rs"]
pub(super) mod tools;
