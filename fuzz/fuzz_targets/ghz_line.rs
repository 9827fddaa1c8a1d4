//! Any text is a load that can be run, or a refusal of one that says why and steers no terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::spec::ghz::line;

fuzz_target!(|text: &str| match line(text) {
    Ok(ghz) => {
        let (kept, open) = (ghz.kept(), &ghz.spec().plan);
        assert!(kept.lanes >= 1 && kept.lanes == kept.max_lanes && open.lanes == kept.lanes);
        assert!(kept.streams >= 1 && kept.links >= Some(1));
        assert!(kept.schedule.stop.count.is_some() || kept.schedule.stop.duration.is_some());
        let request = &kept.targets[0].request;
        let texts = request.headers.iter().flat_map(|(name, value)| [name, value]);
        let mut texts = texts.chain([&request.method, &request.path, &request.authority]);
        assert!(!texts.any(|text| text.contains(['\r', '\n', '\0'])));
    }
    Err(refusal) => {
        let said = refusal.to_string();
        assert!(!said.is_empty() && !said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    }
});
