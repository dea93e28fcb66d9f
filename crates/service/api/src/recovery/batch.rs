//! How much one statement of recovery takes on: less after one that did not end in time, more again after one that did.

/// An adaptive batch size, a pure count.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdaptiveBatch {
    size: u32,
    max: u32,
}

impl AdaptiveBatch {
    /// Begins with `max`.
    pub(super) fn new(max: u32) -> Self {
        Self { size: max, max }
    }

    /// How much the next statement takes on; at least one.
    pub(super) fn size(self) -> u32 {
        self.size
    }

    /// A statement did not end in time.
    pub(super) fn timed_out(&mut self) {
        self.size = (self.size / 2).max(1);
    }

    /// One did.
    pub(super) fn went_well(&mut self) {
        self.size = self.size.saturating_mul(2).min(self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_halves_down_to_one_and_grows_back() {
        let mut batch = AdaptiveBatch::new(100);
        let mut sizes = vec![];
        for _ in 0..8 {
            sizes.push(batch.size());
            batch.timed_out();
        }
        assert_eq!(sizes, [100, 50, 25, 12, 6, 3, 1, 1]);
        for _ in 0..8 {
            batch.went_well();
        }
        assert_eq!(batch.size(), 100);
    }
}
