//! YAML as a tree that knows where everything stands, so that a message can show file, line and column. Pure.
//!
//! Read as `kubectl` reads it: anchors and merge keys (`<<`) are filled in, plain `yes` and `010` are no texts (YAML 1.1),
//! and several documents may stand in one stream. What a reader makes of a tree, and which mistakes it finds there, is the
//! reader's; here only the stream itself can be wrong, and what stood before that place is read all the same.
//!
//! * `node`: the tree. `read`: a stream as trees. `place`: where the characters of a text stand.

mod node;
mod place;
mod read;

pub use node::{Entry, Kind, Node, Position, Scalar, Value};
pub use read::{Stream, YamlError};
