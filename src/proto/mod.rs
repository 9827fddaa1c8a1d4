//! Messages of gRPC services: which there are, how JSON becomes them, and how they are carried. Pure.
//!
//! * `catalog`: services, from `.proto` files, sets of descriptors, or what a server says of itself. `method`: one method
//!   and its messages. `settle`: a plan's target with the messages that its JSON means.
//! * `frame`: messages behind prefixes.
//! * `health`, `reflection`: the two services that are built in.

mod catalog;
mod frame;
mod health;
mod method;
mod reflection;
mod settle;

pub use catalog::Catalog;
pub use frame::{PREFIX, first_message, framed, gzipped, messages};
pub use health::{CHECK, CheckRequest, CheckResponse, Serving};
pub use method::{Method, Misfit};
pub use reflection::{
    Answer, DescribedFiles, ListedService, ListedServices, Question, REFLECTION, ReflectionError, ReflectionRequest,
    ReflectionResponse,
};
pub use settle::{Unfit, settle};
