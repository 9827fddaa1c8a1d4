//! What a run asks, and which of it a clause is about.

use crate::stats::Classes;

use super::clause::{Clause, Line, Selector, SelectorKey};

/// One URL of a run; its number is the class of its requests.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The URL as written.
    pub url: &'a str,
    /// Its path, with the query.
    pub path: &'a str,
}

impl Line {
    /// Settles which requests of a run the `url=` selectors are about: those whose URL or path is the one named.
    ///
    /// # Errors
    /// The selectors that no URL of the run has, one message each.
    pub fn ask(&mut self, asked: &[Asked<'_>]) -> Result<(), Vec<String>> {
        let mut wrong = Vec::new();
        for clause in &mut self.clauses {
            let head = clause.head();
            for selector in clause.selectors.iter_mut().filter(|selector| selector.key == SelectorKey::Url) {
                let classes = among(asked, selector);
                if asked.is_empty() {
                    wrong.push(format!("{head}: no URL is known that this could be about: leave url= off"));
                } else if classes.is_empty() {
                    let all: Vec<&str> = asked.iter().take(5).map(|asked| asked.path).collect();
                    let more = if asked.len() > all.len() { ", …" } else { "" };
                    let value = &selector.value;
                    wrong.push(format!("{head}: no URL of this run is {value}; there are {}{more}", all.join(", ")));
                }
                selector.classes = Some(classes);
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

fn among(asked: &[Asked<'_>], selector: &Selector) -> Classes {
    let named = |asked: &Asked<'_>| asked.url == selector.value || asked.path == selector.value;
    (0..).zip(asked).filter(|(_, asked)| named(asked)).map(|(class, _)| class).collect()
}

impl Clause {
    /// Whether it is about some requests of the run only.
    pub(super) fn is_partial(&self) -> bool {
        self.answers().is_some() || self.selected(SelectorKey::Url).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn a_url_is_named_whole_or_by_its_path() {
        let asked = [
            Asked { url: "http://a.test/", path: "/" },
            Asked { url: "http://a.test/cart?x=1", path: "/cart?x=1" },
            Asked { url: "http://b.test/", path: "/" },
        ];
        for (value, classes) in [("/", vec![0, 2]), ("http://b.test/", vec![2]), ("/cart?x=1", vec![1])] {
            let mut line = parse(&format!("p95{{url={value}}}<1s")).unwrap();
            line.ask(&asked).unwrap();
            let of = line.clauses[0].classes().unwrap();
            let found: Vec<u16> = (0..200).filter(|class| of.contains(*class)).collect();
            assert_eq!(found, classes, "{value}");
        }
        let mut line = parse("p95{url=/}<1s, errors{url=/chart}<1%, p95<1s").unwrap();
        assert_eq!(
            line.ask(&asked).unwrap_err(),
            ["errors{url=/chart}<1%: no URL of this run is /chart; there are /, /cart?x=1, /"]
        );
        assert_eq!(line.clauses[2].classes(), None);
        let unasked = parse("p95{url=/}<1s").unwrap();
        assert_eq!(unasked.clauses[0].classes(), Some(Classes::default()), "no evidence is not all of it");
    }
}
