//! How urgent a call is.

/// How urgent a call is, from 0 (most) to 7 (least), as in RFC 9218: who is too many is shed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// Of a call that does not say.
    pub const USUAL: Self = Self(3);
    /// Goes last.
    pub const LEAST: Self = Self(7);
    pub(crate) const COUNT: usize = 8;

    /// What is above 7 is 7.
    pub const fn new(urgency: u8) -> Self {
        Self(if urgency > 7 { 7 } else { urgency })
    }

    /// From 0 to 7.
    pub const fn urgency(self) -> u8 {
        self.0
    }

    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::USUAL
    }
}
