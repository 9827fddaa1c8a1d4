//! What the user asked, as a plan and an objective. Pure.
//!
//! Whoever asks (flags today, webhooks later) hands texts to a [`SpecBuilder`] under the [`Id`] of one table and gets a
//! [`Spec`] that cannot be wrong, or every [`Mistake`] at once. After that nobody sees a text or a magic zero again.
//!
//! * `keys`: what is known of each wish; `table`: all of them. `mistake`: what is wrong, as one line each.
//! * `duration`, `value`, `status`, `header`, `address`, `output`, `template`: one text, one value.
//! * `request`, `call`, `drawn`, `split`, `pace`, `way`: values that depend on each other. `build`: the whole.
//! * `metadata`: a hook's metadata as an `order`. `whose`: whose answers a load gets.
//! * `hey`: hey's command line, by way of `goflag` and `gonumber`; `ghz`: ghz's, by way of `kingpin`; `shell`: a line as
//!   words.
//! * `line`: a hook's command line, with `curl`, `grep` and `probe`, gRPC's health probe, in it.

mod address;
mod build;
mod call;
pub mod curl;
mod drawn;
mod duration;
mod elsewhere;
pub mod ghz;
pub mod goflag;
mod gonumber;
pub mod grep;
mod header;
pub mod hey;
mod keys;
mod kingpin;
pub mod line;
mod metadata;
mod mistake;
mod order;
mod output;
mod outside;
mod pace;
pub mod probe;
mod references;
mod request;
pub mod shell;
mod split;
mod status;
mod table;
mod template;
mod value;
mod way;
mod whose;

pub use build::{Objective, Spec, SpecBuilder};
pub use call::OF_GRPC;
pub use duration::{DurationError, GoDuration};
pub use gonumber::Unread;
pub use keys::{Group, Id, KEYS, Key, Kind};
pub use metadata::{Hook, order};
pub use mistake::{Mistake, Mistakes};
pub use order::Order;
pub use output::{Output, Saved};
pub use outside::Outside;
pub use request::MAX_BODY;
pub use status::{StatusSet, read_statuses};
pub use value::read_duration;
pub use whose::Whose;
