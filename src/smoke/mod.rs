//! Smoke tests: a file of requests with what is expected of their answers, as a suite that cannot be wrong. Pure.
//!
//! A step is a request or a load. Its request is read from the same keys, by the same readers, as that of `tollgate run`,
//! so that one name means the same everywhere. What one step's answer says, later steps can use: such values are known
//! only when the step is done, so a step is checked before anything is sent with words in their place, and made when its
//! turn comes.
//!
//! * `keys`: every key there is. `schema`: the same for editors. `fields`: a mapping with its mistakes. `mistake`.
//! * `text`: texts with `{{name}}` in them; `names`: whose value may be used where. `json`: values with such texts.
//! * `suite`: what a file comes to; `read`, `steps`, `wishes`: how. `answer`, `expect`, `capture`: an answer and what is
//!   done with it.
//! * `told`: what came of a step; `report`: the same as text, JSON and test cases.

mod answer;
mod capture;
mod expect;
mod fields;
mod json;
mod keys;
mod mistake;
mod names;
mod read;
mod report;
mod schema;
mod steps;
mod suite;
mod text;
mod told;
mod wishes;

pub use answer::{Answer, Called, Failure};
pub use mistake::Mistake;
pub use read::{Around, read};
pub use report::{json, junit, overview, step_line, suite_line};
pub use schema::schema;
pub use suite::{Kind, Retry, Step, Suite};
pub use text::Values;
pub use told::{End, Told, ToldSuite};
