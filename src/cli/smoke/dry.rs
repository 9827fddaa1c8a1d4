//! What would be sent.

use super::Source;
use crate::plan::Messages;
use crate::report::Style;
use crate::smoke::{self, Kind, Step};
use crate::spec::Spec;
use crate::stats::number::{counted, per_second, span};

/// Headers that are shown without their value.
const SECRET: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Everything that the files would send, values that steps capture as `(name)`.
pub(super) fn text(sources: &[Source], style: Style) -> String {
    let mut text = String::new();
    for source in sources {
        text += &smoke::overview(&source.suite.name, &source.file, style);
        for step in &source.suite.steps {
            let mut shown = of(step, source);
            for secret in &source.suite.secrets {
                shown = shown.replace(secret.as_str(), "***");
            }
            text += &shown;
        }
    }
    text
}

fn of(step: &Step, source: &Source) -> String {
    let mut text = format!("\n  # {}, line {}", step.name, step.at.line);
    if let Some(retry) = step.retry {
        text += &format!(", for up to {} every {}", span(retry.for_), span(retry.every));
    }
    text.push('\n');
    let values = step.placeholders(&source.suite.values);
    match step.spec(&values, 0, &|path| source.read(path)) {
        Ok(spec) if step.kind == Kind::Load => text + &load(&spec),
        Ok(spec) => text + &request(&spec, 0),
        // Its URL is captured.
        Err(_) => text + &format!("  {}\n", step.asks),
    }
}

/// A request as HTTP/1 writes it.
fn request(spec: &Spec, target: usize) -> String {
    let target = &spec.plan.targets[target];
    let drawn = target.drawn.as_ref().map(|drawn| drawn.request(&target.request, spec.plan.seed, 0));
    let request = drawn.unwrap_or_else(|| target.request.clone());
    let scheme = if target.origin.secure { "https" } else { "http" };
    let mut text =
        format!("  {} {scheme}://{}{} {}\n", request.method, target.origin, request.path, spec.plan.wire.title());
    text += &format!("  Host: {}\n", request.authority);
    for (name, value) in &request.headers {
        let secret = SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret));
        text += &format!("  {name}: {}\n", if secret { "***" } else { value });
    }
    if target.call.messages == Messages::Framed {
        text += &format!("\n  ({} of messages)\n", counted(request.body.len() as u64, "byte"));
    } else if !request.body.is_empty() {
        let body = String::from_utf8_lossy(&request.body);
        text += "\n";
        body.lines().for_each(|line| text += &format!("  {line}\n"));
    }
    text
}

fn load(spec: &Spec) -> String {
    let plan = &spec.plan;
    let mut text: String = (0..plan.targets.len()).map(|target| request(spec, target)).collect();
    let schedule = &plan.schedule;
    let many = schedule.total().map_or_else(|| "as many requests as go".to_owned(), |total| counted(total, "request"));
    let rate = schedule.mean_rate().map(|rate| format!(" at {}", per_second(rate.micro_per_second as f64 / 1e6)));
    let long = schedule.end().map(|end| format!(" in {}", span(end)));
    text += &format!(
        "  {many}{}{} on {}",
        rate.unwrap_or_default(),
        long.unwrap_or_default(),
        counted(u64::from(plan.lanes), "lane")
    );
    if let Some(objective) = &spec.objective {
        text += &format!("; slo: {}", objective.text.trim());
    }
    text + "\n"
}
