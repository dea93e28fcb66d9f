//! What the APIs of a stage say of their journals.

use holdfast_system::error::SystemError;

use crate::stage::Stage;

/// Of all of them together.
pub(super) struct Journals {
    /// Whether all can write.
    pub(super) available: bool,
    pub(super) entries: u64,
}

impl Journals {
    /// None: one of them does not tell.
    pub(super) async fn of(stage: &Stage) -> Result<Option<Self>, SystemError> {
        let (mut available, mut entries) = (true, 0);
        for api in stage.apis().await? {
            let Ok(status) = api.status().await else {
                return Ok(None);
            };
            if let Some(journal) = status.journal {
                available &= journal.available;
                entries += journal.entries;
            }
        }
        Ok(Some(Self { available, entries }))
    }
}
