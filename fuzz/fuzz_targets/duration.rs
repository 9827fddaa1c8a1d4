//! Any text is a duration or an error, and every duration reads back as shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::spec::GoDuration;

fuzz_target!(|text: &str| {
    if let Ok(duration) = text.parse::<GoDuration>() {
        assert_eq!(duration.to_string().parse(), Ok(duration), "{text:?}");
    }
});
