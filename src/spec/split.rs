//! What results are told apart by.

use super::build::SpecBuilder;
use super::keys::Id;
use super::mistake::{WRONG, Wrong, wrong};
use crate::plan::{Source, Split, Target};

/// Most tables by value.
const MOST_TABLES: usize = 8;
/// What results can be told apart by.
const WAYS: [&str; 3] = ["url", "address", "value"];

/// A drawing whose values can be listed, as it stands in the targets.
struct Listed<'a> {
    label: String,
    source: &'a Source,
    places: Vec<Option<usize>>,
}

/// Reads what results are told apart by; each way once, in the order given.
pub(super) fn splits(wishes: &mut SpecBuilder, targets: &[Target]) -> Vec<Split> {
    let ways = wishes.read(Id::SplitBy, ways).unwrap_or_default();
    let mut splits = Vec::new();
    for way in ways {
        match way {
            "url" => splits.push(Split::Url),
            "address" => splits.push(Split::Address),
            _ => splits.extend(values(wishes, targets)),
        }
    }
    splits
}

fn ways(text: &str) -> Result<Vec<&'static str>, Wrong> {
    let mut ways = Vec::new();
    for item in text.split(',').map(str::trim) {
        let near = |way: &&&str| strsim::damerau_levenshtein(way, item) <= 2;
        let way = WAYS.iter().find(|way| **way == item).ok_or_else(|| match WAYS.iter().find(near) {
            Some(way) => wrong(format!("did you mean {way}?")),
            None => WRONG,
        })?;
        if !ways.contains(way) {
            ways.push(*way);
        }
    }
    Ok(ways)
}

/// A table for each named list or range; where none has a name, for each there is.
fn values(wishes: &mut SpecBuilder, targets: &[Target]) -> Vec<Split> {
    let mut all: Vec<Listed<'_>> = Vec::new();
    for (number, target) in targets.iter().enumerate() {
        let drawings = target.drawn.iter().flat_map(|drawn| drawn.drawings.iter().enumerate());
        for (place, drawing) in drawings.filter(|(_, drawing)| drawing.source.choices().is_some()) {
            let taken =
                |label: &String| all.iter().any(|listed| listed.label == *label && listed.places[number].is_some());
            let numbered = (2..).map(|n| format!("{} ({n})", drawing.label));
            let label = [drawing.label.clone()].into_iter().chain(numbered).find(|label| !taken(label));
            let label = label.unwrap_or_default();
            match all.iter_mut().find(|listed| listed.label == label) {
                Some(listed) if *listed.source != drawing.source => {
                    wishes.clash(
                        Id::SplitBy,
                        "one meaning of each name",
                        format!("{label} is drawn in two ways: give one of them another name"),
                    );
                }
                Some(listed) => listed.places[number] = Some(place),
                None => {
                    let mut places = vec![None; targets.len()];
                    places[number] = Some(place);
                    all.push(Listed { label, source: &drawing.source, places });
                }
            }
        }
    }
    let is_named = |listed: &Listed<'_>| !listed.label.starts_with("{{");
    if all.iter().any(is_named) {
        all.retain(is_named);
    }
    match all.len() {
        0 if !targets.is_empty() => {
            let advice = "no list or range is drawn in the request, such as -H 'user-id: {{range:1..5}}'";
            wishes.clash(Id::SplitBy, "a value to tell requests apart by", advice);
        }
        n if n > MOST_TABLES => {
            let advice = format!("these are {n}: give names to those that matter, as in {{{{user=range:1..5}}}}");
            wishes.clash(Id::SplitBy, format!("at most {MOST_TABLES} values"), advice);
        }
        _ => {}
    }
    all.into_iter().map(|listed| Split::Value { label: listed.label, places: listed.places }).collect()
}
