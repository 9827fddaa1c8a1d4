//! What a Prometheus says to an instant query, as one number.

use serde::Deserialize;
use serde_json::Value;

use crate::slo::Answer;

/// Characters of a message of its that are repeated.
const SHOWN: usize = 120;

/// The answer to `/api/v1/query`.
#[derive(Debug, Deserialize)]
struct Said {
    data: Option<Data>,
    error: Option<String>,
    /// What makes the answer doubtful: a store that did not answer, for one.
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

/// The number, or why there is none.
pub(super) fn number(status: u16, body: &str) -> Answer {
    let said = serde_json::from_str::<Said>(body);
    match said {
        Ok(Said { error: Some(error), .. }) => Err(format!("Prometheus refuses the query: {}", shown(&error))),
        Ok(Said { data: Some(data), warnings, .. }) if status == 200 => match warnings.first() {
            None => one(&data),
            Some(warning) => Err(format!("Prometheus is in doubt: {}", shown(warning))),
        },
        _ => Err(format!("what answers with status {status} is no Prometheus")),
    }
}

fn one(data: &Data) -> Answer {
    let text = match (data.result_type.as_str(), data.result.as_array().map(Vec::as_slice)) {
        ("scalar", Some([_, text])) => text,
        ("vector", Some([])) => return Err("the query finds no series: nothing was counted so far".to_owned()),
        ("vector", Some([series])) => &series["value"][1],
        ("vector", Some(many)) => {
            return Err(format!("the query finds {} series, and one number is wanted: add sum() or max()", many.len()));
        }
        (kind, _) => return Err(format!("the query gives a {}, and one number is wanted", shown(kind))),
    };
    match text.as_str().and_then(|text| text.parse::<f64>().ok()) {
        Some(number) if number.is_nan() => Err("the answer is NaN: there was no traffic to divide by".to_owned()),
        Some(number) if number.is_infinite() => Err(format!("the answer is {number}: it is divided by nothing")),
        Some(number) => Ok(number),
        None => Err("the answer is no number".to_owned()),
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_an_answer_and_everything_else_says_why_it_is_none() {
        let vector =
            |series: &str| format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#);
        let series = |value: &str| format!(r#"{{"metric":{{"a":"b"}},"value":[1700000000.1,"{value}"]}}"#);
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1700000000,"2.5"]}}"#;
        let text = r#"{"status":"success","data":{"resultType":"string","result":[1700000000,"2.5"]}}"#;
        let range = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        let partial = r#"{"status":"success","warnings":["store b did not answer"],
            "data":{"resultType":"scalar","result":[1700000000,"0"]}}"#;
        let bad = r#"{"status":"error","errorType":"bad_data","error":"parse error\nat char 3"}"#;
        for (status, body, expected, why) in [
            (200, vector(&series("0.015")), Ok(0.015), "one series"),
            (200, vector(&series("0")), Ok(0.0), "a zero that was measured"),
            (200, scalar.to_owned(), Ok(2.5), "a scalar"),
            (200, vector(""), Err("the query finds no series"), "never a zero"),
            (200, vector(&series("NaN")), Err("the answer is NaN: there was no traffic"), "0/0"),
            (200, vector(&series("+Inf")), Err("the answer is inf"), "1/0"),
            (200, vector(&series("-Inf")), Err("the answer is -inf"), "-1/0"),
            (200, vector(&format!("{},{}", series("1"), series("2"))), Err("the query finds 2 series"), "which one?"),
            (
                200,
                vector(r#"{"metric":{},"histogram":[1700000000,{}]}"#),
                Err("the answer is no number"),
                "a histogram",
            ),
            (200, text.to_owned(), Err("the query gives a string"), "a text"),
            (200, range.to_owned(), Err("the query gives a matrix"), "a range"),
            (200, partial.to_owned(), Err("Prometheus is in doubt: store b did not answer"), "a part of the truth"),
            (400, bad.to_owned(), Err("Prometheus refuses the query: parse errorat char 3"), "its own words"),
            (503, "not ready".to_owned(), Err("what answers with status 503 is no Prometheus"), "on its way up"),
            (200, "<html>".to_owned(), Err("what answers with status 200 is no Prometheus"), "somebody else"),
            (502, scalar.to_owned(), Err("what answers with status 502 is no Prometheus"), "a status that means no"),
        ] {
            match (number(status, &body), expected) {
                (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{why}"),
                (Err(got), Err(expected)) => assert!(got.starts_with(expected), "{why}: {got}"),
                (got, _) => panic!("{why}: {got:?}"),
            }
        }
    }
}
