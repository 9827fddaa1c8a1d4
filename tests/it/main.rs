//! Tests that may run side by side; those that make load are in `tests/load`.

// `cfg(test)` is always on here; the lints look for it to know that helpers, too, are tests.
#[cfg(test)]
mod benches;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod source;
