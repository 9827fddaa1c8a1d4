//! A request that conditions send to the canary, made up from the conditions.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::flagger::{Match, Pattern};

/// Headers with which a request meets all conditions of one match; `None` where none can be made up.
pub(super) fn headers(one: &Match) -> Option<Vec<(String, String)>> {
    one.headers.iter().map(|(name, pattern)| Some((name.clone(), value(pattern)?))).collect()
}

fn value(pattern: &Pattern) -> Option<String> {
    match pattern {
        Pattern::Exact(text) | Pattern::Prefix(text) | Pattern::Suffix(text) => Some(text.clone()),
        Pattern::Present => Some("1".to_owned()),
        Pattern::Regex(text) => {
            let mut value = Vec::new();
            shortest(&regex_syntax::parse(text).ok()?, &mut value)?;
            String::from_utf8(value).ok().filter(|value| !value.chars().any(char::is_control))
        }
    }
}

/// A text that matches, each repetition as seldom as may be and the first of all alternatives.
fn shortest(hir: &Hir, text: &mut Vec<u8>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(Class::Unicode(class)) => {
            let first = class.iter().flat_map(|range| range.start()..=range.end()).find(|c| c.is_ascii_graphic());
            let mut bytes = [0; 4];
            text.extend_from_slice(first?.encode_utf8(&mut bytes).as_bytes());
        }
        HirKind::Class(Class::Bytes(class)) => {
            text.push(class.iter().flat_map(|range| range.start()..=range.end()).find(u8::is_ascii_graphic)?);
        }
        HirKind::Repetition(repeated) => {
            for _ in 0..repeated.min {
                shortest(&repeated.sub, text)?;
            }
        }
        HirKind::Capture(group) => shortest(&group.sub, text)?,
        HirKind::Concat(all) => all.iter().try_for_each(|one| shortest(one, text))?,
        HirKind::Alternation(any) => shortest(any.first()?, text)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_meets_the_expression_that_it_is_made_from() {
        for (expression, example) in [
            ("^(1|2|3|4|5)$", "1"),
            ("^(.*?;)?(canary=always)(;.*)?$", "canary=always"),
            ("insider", "insider"),
            ("[a-c]{2}x+", "aax"),
            (".*curl.*", "curl"),
            (r"\d+", "0"),
        ] {
            let made = value(&Pattern::Regex(expression.to_owned()));
            assert_eq!(made.as_deref(), Some(example), "{expression}");
            let whole = regex::Regex::new(&format!("^(?:{expression})$")).unwrap();
            assert!(whole.is_match(example), "{expression}");
        }
        assert_eq!(value(&Pattern::Regex("(".to_owned())), None);
    }

    #[test]
    fn all_headers_of_one_match_are_given() {
        let headers_of = [
            ("cookie", Pattern::Regex("type=insider".into())),
            ("x-canary", Pattern::Exact("true".into())),
            ("x-user", Pattern::Present),
        ];
        let one = Match {
            headers: headers_of.into_iter().map(|(name, pattern)| (name.to_owned(), pattern)).collect(),
            others: Vec::new(),
        };
        let made = headers(&one).unwrap();
        let pairs: Vec<(&str, &str)> = made.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("cookie", "type=insider"), ("x-canary", "true"), ("x-user", "1")]);
    }
}
