//! No text breaks the reader of Canaries, and every place it names is in the text.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lines = text.split(['\n', '\r']).count() as u32;
    let reading = tollgate::flagger::read(text);
    for mistake in &reading.mistakes {
        assert!(mistake.at.line <= lines + 1 && mistake.at.column > 0, "{mistake}");
    }
    for hook in reading.canaries.iter().flat_map(|canary| &canary.analysis.webhooks) {
        for (key, value) in &hook.metadata {
            for index in 0..=value.chars().count() {
                assert!(hook.metadata_places.inside(key, index).line <= lines + 1, "{key}");
            }
        }
    }
});
