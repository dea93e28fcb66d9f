//! How a call ended, in the few kinds a reader tells apart.

use kuva::prelude::MarkerShape;

use holdfast_checker::trial::{Call, Completion};

/// A kind of end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// 200, nothing missing.
    Whole,
    /// 200, recorded elsewhere or otherwise short of something.
    Degraded,
    /// 202: a promise.
    Deferred,
    /// Any other status.
    Error,
    /// No HTTP answer.
    Unanswered,
    /// The client left, as it was meant to.
    Left,
    /// The load generator could not send it.
    NotSent,
}

impl Outcome {
    /// All, in the order in which they are drawn: what matters most comes last, on top.
    pub(super) const ALL: [Self; 7] = [
        Self::Left,
        Self::Whole,
        Self::Degraded,
        Self::Deferred,
        Self::NotSent,
        Self::Error,
        Self::Unanswered,
    ];

    /// Of one call.
    pub(super) fn of(call: &Call) -> Self {
        match call.end {
            Completion::Answered { status: 200, .. } if call.is_whole() => Self::Whole,
            Completion::Answered { status: 200, .. } => Self::Degraded,
            Completion::Answered { status: 202, .. } => Self::Deferred,
            Completion::Answered { .. } => Self::Error,
            Completion::GivenUp | Completion::Refused | Completion::Reset => Self::Unanswered,
            Completion::Left => Self::Left,
            Completion::NoFile => Self::NotSent,
        }
    }

    /// For the legend.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Whole => "200, whole",
            Self::Degraded => "200, degraded",
            Self::Deferred => "202, promised",
            Self::Error => "an error status",
            Self::Unanswered => "no answer",
            Self::Left => "client left, as planned",
            Self::NotSent => "not sent: the generator's fault",
        }
    }

    /// The colour's name in the style sheet.
    pub(super) fn colour(self) -> &'static str {
        match self {
            Self::Whole => "var(--blue)",
            Self::Degraded => "var(--green)",
            Self::Deferred => "var(--purple)",
            Self::Error => "var(--vermilion)",
            Self::Unanswered => "var(--ink)",
            Self::Left => "var(--faint)",
            Self::NotSent => "var(--orange)",
        }
    }

    /// The mark: colour alone does not tell everybody.
    pub(super) fn mark(self) -> MarkerShape {
        match self {
            Self::Whole => MarkerShape::Circle,
            Self::Degraded => MarkerShape::Diamond,
            Self::Deferred => MarkerShape::Square,
            Self::Error => MarkerShape::Triangle,
            Self::Unanswered => MarkerShape::Cross,
            Self::Left => MarkerShape::Plus,
            Self::NotSent => MarkerShape::TriangleDown,
        }
    }

    /// The mark's radius in the plots' units, so that all look equally large.
    pub(super) fn size(self) -> f64 {
        match self {
            Self::Whole => 2.0,
            Self::Degraded | Self::Deferred => 2.1,
            Self::Left => 3.0,
            Self::Error | Self::Unanswered | Self::NotSent => 3.2,
        }
    }
}
