//! No body breaks the reader of hooks, and what it read reads back the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::server::Payload;

fuzz_target!(|body: &[u8]| {
    if let Ok(payload) = Payload::read(body) {
        let written = serde_json::json!({
            "name": payload.canary.name,
            "namespace": payload.canary.namespace,
            "phase": format!("{:?}", payload.phase),
            "checksum": payload.checksum.to_string(),
            "metadata": payload.metadata,
        });
        assert_eq!(Payload::read(written.to_string().as_bytes()), Ok(payload));
    }
});
