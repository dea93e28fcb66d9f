//! What the APIs of a stage say of their journals.

use crate::stage::Stage;

/// Of all of them together.
pub(super) struct Journals {
    /// Whether all can write.
    pub(super) available: bool,
    pub(super) entries: u64,
}

impl Journals {
    /// None: one of them does not tell.
    pub(super) async fn of(stage: &Stage) -> Option<Self> {
        let (mut available, mut entries) = (true, 0);
        for api in stage.apis().await.ok()? {
            if let Some(journal) = api.status().await.ok()?.journal {
                available &= journal.available;
                entries += journal.entries;
            }
        }
        Some(Self { available, entries })
    }
}
