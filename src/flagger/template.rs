//! What a Helm chart leaves to be filled in. tollgate's own drawn values, such as `{{pick:a,b}}`, look alike and are none.

/// Words that begin an action of a chart, followed by a blank.
const WORDS: [&str; 17] = [
    "block", "coalesce", "default", "define", "else", "fromYaml", "if", "include", "lookup", "printf", "quote",
    "range", "required", "template", "toYaml", "tpl", "with",
];

/// The character number, from zero, at which the first action of a chart stands.
pub(super) fn find(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(open) = text[from..].find("{{").map(|at| from + at) {
        if is_action(&text[open + 2..]) {
            return Some(text[..open].chars().count());
        }
        from = open + 2;
    }
    None
}

fn is_action(rest: &str) -> bool {
    let inner = rest.strip_prefix('-').unwrap_or(rest).trim_start();
    if inner.starts_with(['.', '$', '(', '/']) {
        return true;
    }
    let word = inner.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let after = inner[word.len()..].chars().next();
    word == "end" || word == "else" || WORDS.contains(&word) && after == Some(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chart_fills_in_is_told_from_values_that_are_drawn() {
        for (text, expected, why) in [
            ("http://é{{ .Values.host }}/", Some(8), "a value, counted in characters"),
            ("{{.Release.Name}}", Some(0), "a value without blanks"),
            ("{{- if .Values.x }}", Some(0), "a condition"),
            ("{{ end }}", Some(0), "the end of one"),
            ("{{ template \"podinfo.fullname\" . }}", Some(0), "a part"),
            ("{{pick:a,b}} {{ $x }}", Some(13), "a variable after a drawn value"),
            ("{{range:1..5}}", None, "a drawn number"),
            ("{{user=pick:a,b}}", None, "a drawn value with a name"),
            ("{{user}}", None, "the same again"),
            ("{\"a\":{\"b\":1}}", None, "JSON"),
            ("plain", None, "nothing at all"),
        ] {
            assert_eq!(find(text), expected, "{text}: {why}");
        }
    }
}
