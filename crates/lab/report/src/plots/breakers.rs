//! The breakers' states over time: a bar for each dependency. Height, colour and words say the same.

use kuva::prelude::LinePlot;
use kuva::render::layout::ComputedLayout;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::canvas::{self, Axis};
use super::{Figure, Key};
use holdfast_checker::trial::{Transition, Trial};

const DEPENDENCIES: [&str; 2] = ["worker", "database"];
const LANE: u32 = 68;
const BAR: f64 = 24.0;
/// Above the first lane and below the last.
const AROUND: u32 = 52;
/// A state that lasted for a moment is still to be seen.
const NARROWEST: f64 = 1.5;

/// A state and how long it lasted, in seconds from the start of the load.
#[derive(Debug, Clone, PartialEq)]
struct Stretch {
    state: String,
    from: f64,
    to: f64,
}

/// The figure. Only the resilient side has breakers.
pub(in super::super) fn breakers(resilient: &Trial, axis: Axis) -> Figure {
    let count = u32::try_from(DEPENDENCIES.len()).unwrap_or(u32::MAX);
    let layout = axis.layout((0.0, 1.0), AROUND + LANE * count);
    let mut layout = canvas::shaded(layout, &resilient.faults, 1.0).with_show_grid(false);
    layout.suppress_y_ticks = true;
    // The frame and the time axis are the library's; a line without points draws nothing else.
    let frame = LinePlot::new().with_data(Vec::<(f64, f64)>::new()).into();
    let lanes = DEPENDENCIES.map(|name| (name, stretches(&resilient.transitions, name, axis)));
    let panel = canvas::draw(
        "",
        vec![frame],
        layout,
        &resilient.faults,
        |scene, computed| {
            let mut top = computed.margin_top;
            for (name, stretches) in &lanes {
                lane(scene, computed, name, stretches, top);
                top += f64::from(LANE);
            }
        },
    );
    Figure {
        title: "Breakers",
        axes: "state over seconds from the start of the load; resilient only: naive has no breaker"
            .to_owned(),
        panels: vec![panel],
        legend: ["closed", "half_open", "open"]
            .map(state_key)
            .into_iter()
            .chain([canvas::fault_key()])
            .collect(),
        says: lanes
            .iter()
            .map(|(name, stretches)| sentence(name, stretches))
            .collect(),
    }
}

/// Closed until something else is said; what was the state before the first change, that change says.
fn stretches(transitions: &[Transition], dependency: &str, axis: Axis) -> Vec<Stretch> {
    let changes: Vec<&Transition> = transitions
        .iter()
        .filter(|change| change.dependency == dependency)
        .collect();
    let first = changes.first().map_or("closed", |change| &change.from);
    let starts = changes
        .iter()
        .map(|change| (change.at.as_secs_f64(), &*change.to));
    let starts: Vec<(f64, &str)> = std::iter::once((0.0, first)).chain(starts).collect();
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([axis.until]);
    let all = starts.iter().zip(ends).map(|((from, state), to)| Stretch {
        state: (*state).to_owned(),
        from: from.min(axis.until),
        to: to.min(axis.until),
    });
    all.filter(|stretch| stretch.to > stretch.from).collect()
}

fn lane(scene: &mut Scene, computed: &ComputedLayout, name: &str, stretches: &[Stretch], top: f64) {
    let floor = top + f64::from(LANE) - 6.0;
    let place = (computed.margin_left + 6.0, floor - BAR - 14.0);
    let label = format!("{name} breaker");
    scene.add(canvas::text(place, TextAnchor::Start, canvas::INK, label));
    for stretch in stretches {
        let (from, to) = (computed.map_x(stretch.from), computed.map_x(stretch.to));
        let (share, fill, ink) = look(&stretch.state);
        let width = (to - from).max(NARROWEST);
        let height = BAR * share;
        scene.add(canvas::rect((from, floor - height), (width, height), fill));
        let words = words(&stretch.state);
        // Wider than needed here: on a phone the letters are larger.
        if width > canvas::width_of(words) * 1.7 {
            scene.add(word(words, f64::midpoint(from, to), floor, share, ink));
        }
    }
}

/// In the bar, or above it where it is flat.
fn word(words: &str, x: f64, floor: f64, share: f64, ink: &str) -> Primitive {
    let y = if share < 0.5 {
        floor - BAR * share - 5.0
    } else {
        floor - 4.0
    };
    canvas::text((x, y), TextAnchor::Middle, ink, words.to_owned())
}

/// Share of the full height, the fill, and the colour of words on it.
fn look(state: &str) -> (f64, &'static str, &'static str) {
    match state {
        "closed" => (0.25, "var(--blue)", "var(--ink)"),
        "half_open" => (0.6, "var(--orange)", "#000"),
        // Open, or held open by hand.
        _ => (1.0, "var(--vermilion)", "#000"),
    }
}

fn words(state: &str) -> &str {
    match state {
        "half_open" => "half open",
        other => other,
    }
}

fn state_key(state: &str) -> Key {
    let (share, fill, _) = look(state);
    canvas::key(words(state), |scene| {
        let height = 12.0 * share;
        scene.add(canvas::rect((2.0, 12.0 - height), (20.0, height), fill));
    })
}

fn sentence(name: &str, stretches: &[Stretch]) -> String {
    let in_state = |state: &str| -> f64 {
        let of_state = stretches.iter().filter(|stretch| stretch.state == state);
        of_state.map(|stretch| stretch.to - stretch.from).sum()
    };
    let opened: Vec<&Stretch> = stretches
        .iter()
        .filter(|stretch| stretch.state == "open")
        .collect();
    let Some(first) = opened.first() else {
        return format!("The {name}'s breaker never opened.");
    };
    let last = stretches
        .last()
        .map_or("closed", |stretch| words(&stretch.state));
    format!(
        "The {name}'s breaker opened {} at {:.1}\u{a0}s, was open for {:.1}\u{a0}s and half open for {:.1}\u{a0}s in all, \
         and was {last} at the end.",
        match opened.len() {
            1 => "once,".to_owned(),
            times => format!("{times} times, first"),
        },
        first.from,
        in_state("open"),
        in_state("half_open"),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AXIS: Axis = Axis { until: 20.0 };

    fn change(at_ms: u64, from: &str, to: &str) -> Transition {
        Transition {
            at: Duration::from_millis(at_ms),
            dependency: "worker".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    #[test]
    fn the_states_follow_each_other_without_a_gap_until_the_end() {
        let changes = [
            change(4_000, "closed", "open"),
            change(9_000, "open", "half_open"),
            change(9_500, "half_open", "closed"),
        ];
        let states: Vec<_> = stretches(&changes, "worker", AXIS)
            .into_iter()
            .map(|stretch| (stretch.state, stretch.from, stretch.to))
            .collect();
        let expected = [
            ("closed".to_owned(), 0.0, 4.0),
            ("open".to_owned(), 4.0, 9.0),
            ("half_open".to_owned(), 9.0, 9.5),
            ("closed".to_owned(), 9.5, 20.0),
        ];
        assert_eq!(states, expected);
    }

    #[test]
    fn a_breaker_that_never_changed_was_closed_throughout_and_the_words_say_so() {
        let changes = [change(4_000, "closed", "open")];
        let of_database = stretches(&changes, "database", AXIS);
        assert_eq!(of_database.len(), 1);
        assert_eq!(
            sentence("database", &of_database),
            "The database's breaker never opened."
        );
        let of_worker = sentence("worker", &stretches(&changes, "worker", AXIS));
        assert!(
            of_worker.contains("opened once, at 4.0\u{a0}s, was open for 16.0\u{a0}s"),
            "{of_worker}"
        );
        assert!(of_worker.ends_with("was open at the end."), "{of_worker}");
    }
}
