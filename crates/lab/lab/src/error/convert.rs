//! Errors of what the lab stands on, as its own.

use super::LabError;

/// With its cause, which its own text leaves out.
impl From<tokio_postgres::Error> for LabError {
    fn from(error: tokio_postgres::Error) -> Self {
        let cause = std::error::Error::source(&error);
        let told = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        Self::Database(told)
    }
}
