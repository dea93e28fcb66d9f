//! The operator's token.

use std::fmt;

use holdfast_ops::{Environment, EnvironmentError};
use subtle::ConstantTimeEq;

/// What an operator shows to be let in. Never shown by anybody else: neither in a log nor in an error.
#[derive(Clone)]
pub struct AdminToken(String);

impl AdminToken {
    /// Reads `HOLDFAST_ADMIN_TOKEN`; `None` when it is unset.
    ///
    /// # Errors
    /// When a header could not carry it.
    pub(super) fn read(environment: &Environment) -> Result<Option<Self>, EnvironmentError> {
        let name = "HOLDFAST_ADMIN_TOKEN";
        let Some(token) = environment.get(name) else {
            return Ok(None);
        };
        if token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Some(Self(token.to_owned())));
        }
        Err(EnvironmentError::Invalid {
            name,
            value: "(hidden: it is a secret)".to_owned(),
            problem: "give visible ASCII characters without spaces: it travels in a header"
                .to_owned(),
        })
    }

    /// Whether `given` is it. How long that takes tells nothing of it but its length.
    #[must_use]
    pub(crate) fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Option<AdminToken>, String> {
        let environment = Environment::from([("HOLDFAST_ADMIN_TOKEN", value)]);
        AdminToken::read(&environment).map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_whole_token_is_it() {
        let token = read("s3cret").unwrap().unwrap();
        assert!(token.is("s3cret"));
        for other in ["", "s3cre", "s3cret ", "S3CRET", "s3cret2"] {
            assert!(!token.is(other), "{other:?}");
        }
    }

    #[test]
    fn it_is_shown_to_nobody() {
        let shown = format!("{:?}", read("s3cret").unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
        let refusal = read("s3cret with spaces").unwrap_err();
        assert!(refusal.starts_with("HOLDFAST_ADMIN_TOKEN"), "{refusal}");
        assert!(!refusal.contains("s3cret"), "{refusal}");
    }
}
