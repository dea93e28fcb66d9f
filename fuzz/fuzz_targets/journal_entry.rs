//! An entry of the journal: what is read is written as it was, bodies and results byte for byte.

#![no_main]

use holdfast_api::embedded::Entry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let Ok(entry) = serde_json::from_slice::<Entry>(json) else {
        return;
    };
    let written = serde_json::to_vec(&entry).expect("an entry without JSON form");
    let read: Entry = serde_json::from_slice(&written).expect("a written entry cannot be read");
    let text = |entry: &Entry| entry.payload.as_ref().map(|it| it.get().to_owned());
    assert_eq!(text(&read), text(&entry));
    assert_eq!(
        (read.id, &read.key, read.received_at, &read.end),
        (entry.id, &entry.key, entry.received_at, &entry.end)
    );
    assert_eq!(serde_json::to_vec(&read).unwrap(), written);
});
