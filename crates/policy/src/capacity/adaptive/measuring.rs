//! A measurement of the least latency, while it lasts.

/// Stepping down to find the least latency.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measuring {
    /// The limit at which latency was last seen to fall, or where it began, and the latency there.
    pub(super) above: f64,
    pub(super) latency: f64,
    /// Latency did not fall with the last step.
    pub(super) unsure: bool,
    /// The limit before the first step.
    pub(super) began: f64,
}
