//! How a call ended, in the few kinds a reader tells apart.

use kuva::prelude::MarkerShape;

use holdfast_checker::trial::{Call, Completion};

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

/// How it is drawn: colour alone does not tell everybody.
pub(super) struct Look {
    /// For the legend.
    pub(super) words: &'static str,
    /// The colour's name in the style sheet.
    pub(super) colour: &'static str,
    pub(super) mark: MarkerShape,
    /// The mark's radius in the plots' units, so that all look equally large.
    pub(super) size: f64,
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

    pub(super) fn of(call: &Call) -> Self {
        match &call.end {
            Completion::Answered(answer) if answer.is_whole() => Self::Whole,
            Completion::Answered(answer) => match answer.status {
                200 => Self::Degraded,
                202 => Self::Deferred,
                _ => Self::Error,
            },
            Completion::GivenUp | Completion::Refused | Completion::Reset => Self::Unanswered,
            Completion::Left => Self::Left,
            Completion::NoFile => Self::NotSent,
        }
    }

    pub(super) fn look(self) -> Look {
        use MarkerShape as Mark;
        let (words, colour, mark, size) = match self {
            Self::Whole => ("200, whole", "var(--blue)", Mark::Circle, 2.0),
            Self::Degraded => ("200, degraded", "var(--green)", Mark::Diamond, 2.1),
            Self::Deferred => ("202, promised", "var(--purple)", Mark::Square, 2.1),
            Self::Error => ("an error status", "var(--vermilion)", Mark::Triangle, 3.2),
            Self::Unanswered => ("no answer", "var(--ink)", Mark::Cross, 3.2),
            Self::Left => ("client left, as planned", "var(--faint)", Mark::Plus, 3.0),
            Self::NotSent => {
                let words = "not sent: the generator's fault";
                (words, "var(--orange)", Mark::TriangleDown, 3.2)
            }
        };
        Look {
            words,
            colour,
            mark,
            size,
        }
    }
}
