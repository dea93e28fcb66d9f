//! A policy file: taken or refused in one line; what is taken is taken again as the API shows it.

#![no_main]

use holdfast_api::embedded::parse_policies;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse_policies(text) {
        Ok(loaded) => {
            let shown = loaded.table.to_string();
            let again = parse_policies(&shown);
            assert!(again.is_ok(), "{}\n{shown}", again.unwrap_err());
        }
        Err(refusal) => {
            let refusal = refusal.to_string();
            assert!(
                !refusal.is_empty() && !refusal.contains('\n'),
                "{refusal:?}"
            );
        }
    }
});
