//! The numbers to reach, P1 to P9, each as one row that stands in every program's output alike: `benches/all` gathers them.

use super::table::Table;

/// The goals that one benchmark measures.
pub(crate) struct Goals(Table);

impl Default for Goals {
    fn default() -> Self {
        Self(Table::new(&["goal", "what", "measured", "to reach", "beside it", ""]))
    }
}

impl Goals {
    /// Adds one. `reached` is `None` where it was not measured, or where nothing is asked of it.
    pub(crate) fn add(&mut self, number: &str, what: &str, (measured, wanted): (String, &str), reached: Option<bool>) {
        self.beside(number, what, (measured, wanted), "", reached);
    }

    /// Adds one with what others come to.
    pub(crate) fn beside(
        &mut self,
        number: &str,
        what: &str,
        (measured, wanted): (String, &str),
        peers: &str,
        reached: Option<bool>,
    ) {
        let held = match reached {
            Some(true) => "holds",
            Some(false) => "DOES NOT HOLD",
            None if measured.is_empty() => "not measured",
            None => "",
        };
        self.0.row([number, what, &measured, wanted, peers, held]);
    }

    /// The rows, each beginning with its number.
    pub(crate) fn table(&self) -> &Table {
        &self.0
    }
}
