//! `[naive]` and `[resilient]`: figures, with their limits in the figure's unit.

use super::error::Broken;
use super::file::{Expectations, Limits};
use super::place::Place;
use super::text::Figure;
use crate::plan::{Expectation, Metric, Unit, Window};

/// What the side named `side` must show, in the order in which metrics are told.
pub(super) fn typed(side: &str, expected: &Expectations) -> Result<Vec<Expectation>, Broken> {
    let side_place = Place::default().key(side);
    let mut found = Vec::new();
    for (name, several) in expected {
        let place = side_place.key(name);
        let metric = metric(name, &place)?;
        if metric == Metric::TimeToOpen && side == "naive" {
            return Err(Broken::rule(place, "the naive side has no breaker"));
        }
        if metric.is_of_endpoints() && side == "naive" {
            return Err(Broken::rule(place, "the naive side ejects nobody"));
        }
        for (at, limits) in several.items.iter().enumerate() {
            let place = match several.in_a_list {
                true => place.index(at),
                false => place.clone(),
            };
            found.push(expectation(metric, limits, &place)?);
        }
    }
    if found.is_empty() {
        return Err(Broken::rule(side_place, "must expect something"));
    }
    found.sort_by_key(|it| it.metric);
    Ok(found)
}

fn metric(name: &str, place: &Place) -> Result<Metric, Broken> {
    let known: Vec<&str> = Metric::ALL.iter().map(|it| it.name()).collect();
    let metric = Metric::ALL.iter().find(|it| it.name() == name);
    let unknown = || Broken::unknown(place.clone(), name, &known);
    metric.copied().ok_or_else(unknown)
}

fn expectation(metric: Metric, limits: &Limits, place: &Place) -> Result<Expectation, Broken> {
    let limit = |key: &str, value: Option<Figure>| {
        let figure = |value| figure(metric.unit(), value, place.key(key));
        value.map(figure).transpose()
    };
    let at_least = limit("at_least", limits.at_least)?;
    let at_most = limit("at_most", limits.at_most)?;
    match (at_least, at_most) {
        (None, None) => {
            let rule = "needs `at_least`, `at_most` or both";
            return Err(Broken::rule(place.clone(), rule));
        }
        (Some(low), Some(high)) if low > high => {
            let rule = "must not exceed `at_most`";
            return Err(Broken::rule(place.key("at_least"), rule));
        }
        _ => {}
    }
    Ok(Expectation {
        metric,
        during: during(metric, limits.during, place)?,
        at_least,
        at_most,
    })
}

fn during(metric: Metric, given: Option<Window>, place: &Place) -> Result<Window, Broken> {
    match (metric.has_window(), given) {
        (true, window) => Ok(window.unwrap_or_default()),
        (false, None) => Ok(Window::All),
        (false, Some(_)) => {
            let rule = format!("`{metric}` is of the whole trial and has no window");
            Err(Broken::rule(place.key("during"), rule))
        }
    }
}

fn figure(unit: Unit, value: Figure, place: Place) -> Result<f64, Broken> {
    match (unit, value) {
        (Unit::Seconds, Figure::Time(time)) => Ok(time.as_secs_f64()),
        (Unit::Seconds, Figure::Number(_)) => Err(Broken::rule(
            place,
            "give a time such as \"4s\" or \"250ms\"",
        )),
        (_, Figure::Time(_)) => Err(Broken::rule(place, "is no time: give a number")),
        (Unit::Share, Figure::Number(share)) if !(0.0..=1.0).contains(&share) => {
            Err(Broken::rule(place, "a share is from 0 to 1"))
        }
        (_, Figure::Number(number)) if !(number >= 0.0 && number.is_finite()) => {
            Err(Broken::rule(place, "must be 0 or more"))
        }
        (_, Figure::Number(number)) => Ok(number),
    }
}
