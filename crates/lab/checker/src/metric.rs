//! The figures that an experiment may speak of. How each is computed stands in [`measure`](super::measure).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

/// What a side must show: a figure, and its limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    pub metric: Metric,
    pub during: Window,
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
}

/// Which calls a figure is about.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Window {
    /// Those meant to be sent while a fault was in force, as observed.
    #[default]
    Fault,
    /// Those meant to be sent later than the last fault's end.
    After,
    /// All.
    All,
}

/// A figure of one side.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Metric {
    /// Calls without an HTTP answer: given up, refused, reset. A client that left is not counted.
    Unanswered,
    /// Share of calls without an HTTP answer.
    UnansweredShare,
    /// Share of calls answered 500 or above.
    ErrorShare,
    /// Share of calls answered 200 with the worker's result, degraded or not.
    SuccessShare,
    /// Share of calls answered 200 or 202 that had to do without something.
    DegradedShare,
    /// Share of calls answered 200 or 202: a promise.
    PromisedShare,
    /// Promises per second.
    Goodput,
    /// Answers 200 with the worker's result per second, a surge's among them: what the worker's capacity came to.
    Successes,
    /// Latency from the intended start, median, in seconds. A call without an answer counts with the time it waited.
    P50,
    /// Likewise, the 99th percentile.
    P99,
    /// Calls that took longer than the bound and 300 ms, or were given up.
    OverBound,
    /// Arrivals at the worker for each call, counted at the worker or on the link to it.
    AttemptsPerCall,
    /// Most arrivals at the worker within a second, per second.
    PeakArrivals,
    /// From the first fault's beginning until the target's breaker opened, in seconds.
    TimeToOpen,
    /// Times the breaker of what the first fault hurt opened again after it had closed behind the last fault's end.
    Relapses,
    /// From the last fault's end until answers were whole again and stayed so, in seconds.
    TimeToRecover,
    /// From a fault's beginning until the worker it hurt was ejected from those that are called, in seconds; of several faults
    /// the longest.
    TimeToEject,
    /// From a fault's end until no worker was ejected any more, in seconds; of several faults the longest.
    TimeToReadmit,
    /// Requests that were promised, or stored, and are not done at the end.
    Lost,
    /// Rows beyond the first for the same client's request.
    Duplicates,
    /// Share of calls that went without what a dependency that was well could have given.
    Harmed,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Count,
    /// From 0 to 1.
    Share,
    Seconds,
    PerSecond,
    PerCall,
}

impl Window {
    /// As it stands in files.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fault => "during the fault",
            Self::After => "after the fault",
            Self::All => "over all calls",
        }
    }
}

impl Metric {
    /// All, in the order in which they are told.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// As it stands in files and on the screen.
    pub fn name(self) -> &'static str {
        self.into()
    }

    pub fn unit(self) -> Unit {
        match self {
            Self::Unanswered | Self::OverBound | Self::Relapses | Self::Lost | Self::Duplicates => {
                Unit::Count
            }
            Self::UnansweredShare
            | Self::ErrorShare
            | Self::SuccessShare
            | Self::DegradedShare
            | Self::PromisedShare
            | Self::Harmed => Unit::Share,
            Self::P50
            | Self::P99
            | Self::TimeToOpen
            | Self::TimeToRecover
            | Self::TimeToEject
            | Self::TimeToReadmit => Unit::Seconds,
            Self::Goodput | Self::Successes | Self::PeakArrivals => Unit::PerSecond,
            Self::AttemptsPerCall => Unit::PerCall,
        }
    }

    /// Whether it is about the calls of a window, not about the whole trial.
    pub fn has_window(self) -> bool {
        let of_the_whole = matches!(self, Self::TimeToRecover | Self::Lost | Self::Duplicates);
        !of_the_whole && !self.is_of_breakers() && !self.is_of_endpoints()
    }

    /// Whether it is about a breaker's changes of state.
    pub fn is_of_breakers(self) -> bool {
        matches!(self, Self::TimeToOpen | Self::Relapses)
    }

    /// Whether it is about several workers behind one API.
    pub fn is_of_endpoints(self) -> bool {
        matches!(self, Self::TimeToEject | Self::TimeToReadmit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_and_windows_have_the_names_they_have_in_files() {
        for metric in Metric::ALL {
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
        }
        for window in [Window::Fault, Window::After, Window::All] {
            assert_eq!(serde_json::to_value(window).unwrap(), window.name());
        }
    }
}
