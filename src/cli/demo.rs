//! demo
use super::Exit;
pub(super) fn main(_: impl Iterator<Item = std::ffi::OsString>) -> Exit {
    Exit::Pass
}
