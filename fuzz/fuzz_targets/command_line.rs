//! Any line of a hook is load, requests that can be made and judged, or a refusal that says why and steers no terminal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::spec::line::{Line, read};

fuzz_target!(|text: &str| match read(text) {
    Ok(Line::Load(spec)) => assert!(spec.plan.lanes >= 1 && !spec.plan.targets.is_empty()),
    Ok(Line::Checks(checks)) => {
        assert!(!checks.is_empty());
        for check in &checks {
            let [target] = &check.plan().targets[..] else { panic!("one target each") };
            let headers = target.request.headers.iter().flat_map(|(name, value)| [name, value]);
            let mut texts = headers.chain([&target.request.method, &target.request.path, &target.request.authority]);
            assert!(!texts.any(|text| text.contains(['\r', '\n', '\0'])));
            check.greps.iter().for_each(|grep| drop(grep.filter("a line\nand another")));
        }
    }
    Err(refusal) => {
        let said = refusal.to_string();
        assert!(!said.is_empty() && !said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    }
});
