//! What curl's `-w` writes after an answer.

use crate::spec::line::shown;

/// A piece of what `-w` writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Plain text.
    Text(String),
    /// The status, `000` where there is none.
    Status,
    /// Bytes of the body.
    Size,
    /// Seconds it took, with six decimals.
    Time,
}

/// What `-w` writes.
pub(super) fn pieces(format: &str) -> Result<Vec<Written>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let two = rest.get(..2).unwrap_or_default();
        rest = after;
        if let Some((name, behind)) = after.strip_prefix('{').filter(|_| c == '%').and_then(|a| a.split_once('}')) {
            let piece = match name {
                "http_code" | "response_code" => Written::Status,
                "size_download" => Written::Size,
                "time_total" => Written::Time,
                _ => {
                    return Err(format!("%{{{}}} is not known; http_code, size_download, time_total are", shown(name)));
                }
            };
            pieces.extend((!text.is_empty()).then(|| Written::Text(std::mem::take(&mut text))));
            pieces.push(piece);
            rest = behind;
            continue;
        }
        let one = match two {
            r"\n" => Some('\n'),
            r"\r" => Some('\r'),
            r"\t" => Some('\t'),
            "%%" => Some('%'),
            _ => None,
        };
        if one.is_some() {
            rest = &after[1..];
        }
        text.push(one.unwrap_or(c));
    }
    pieces.extend((!text.is_empty()).then_some(Written::Text(text)));
    Ok(pieces)
}
