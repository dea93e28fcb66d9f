//! `[naive]` and `[resilient]`: figures, with their limits in the figure's unit.

use super::error::Broken;
use super::file::{Expectations, Limits};
use super::location::Location;
use super::text::Figure;
use crate::plan::{Expectation, Metric, Unit, Window};

/// What the side named `side` must show, in the order in which metrics are told.
pub(super) fn typed(side: &str, expected: &Expectations) -> Result<Vec<Expectation>, Broken> {
    let side_place = Location::default().key(side);
    let mut found = Vec::new();
    for (name, several) in expected {
        let location = side_place.key(name);
        let metric = metric(name, &location)?;
        if metric.is_of_breakers() && side == "naive" {
            return Err(Broken::rule(location, "the naive side has no breaker"));
        }
        if metric.is_of_endpoints() && side == "naive" {
            return Err(Broken::rule(location, "the naive side ejects nobody"));
        }
        if several.items.is_empty() {
            return Err(Broken::rule(location, "must expect something"));
        }
        for (at, limits) in several.items.iter().enumerate() {
            let location = match several.in_a_list {
                true => location.index(at),
                false => location.clone(),
            };
            found.push(expectation(metric, limits, &location)?);
        }
    }
    if found.is_empty() {
        return Err(Broken::rule(side_place, "must expect something"));
    }
    found.sort_by_key(|it| it.metric);
    Ok(found)
}

fn metric(name: &str, location: &Location) -> Result<Metric, Broken> {
    let known: Vec<&str> = Metric::ALL.iter().map(|it| it.name()).collect();
    let metric = Metric::ALL.iter().find(|it| it.name() == name);
    let unknown = || Broken::unknown(location.clone(), name, &known);
    metric.copied().ok_or_else(unknown)
}

fn expectation(
    metric: Metric,
    limits: &Limits,
    location: &Location,
) -> Result<Expectation, Broken> {
    let limit = |key: &str, value: Option<Figure>| {
        let figure = |value| figure(metric.unit(), value, location.key(key));
        value.map(figure).transpose()
    };
    let at_least = limit("at_least", limits.at_least)?;
    let at_most = limit("at_most", limits.at_most)?;
    if at_least.is_none() && at_most.is_none() {
        let rule = "needs `at_least`, `at_most` or both";
        return Err(Broken::rule(location.clone(), rule));
    }
    if at_least.zip(at_most).is_some_and(|(low, high)| low > high) {
        let rule = "must not exceed `at_most`";
        return Err(Broken::rule(location.key("at_least"), rule));
    }
    Ok(Expectation {
        metric,
        during: during(metric, limits.during, location)?,
        at_least,
        at_most,
    })
}

fn during(metric: Metric, given: Option<Window>, location: &Location) -> Result<Window, Broken> {
    match (metric.has_window(), given) {
        (true, window) => Ok(window.unwrap_or_default()),
        (false, None) => Ok(Window::All),
        (false, Some(_)) => {
            let rule = format!("`{metric}` is of the whole trial and has no window");
            Err(Broken::rule(location.key("during"), rule))
        }
    }
}

fn figure(unit: Unit, value: Figure, location: Location) -> Result<f64, Broken> {
    match (unit, value) {
        (Unit::Seconds, Figure::Time(time)) => Ok(time.as_secs_f64()),
        (Unit::Seconds, Figure::Number(_)) => Err(Broken::rule(
            location,
            "give a time such as \"4s\" or \"250ms\"",
        )),
        (_, Figure::Time(_)) => Err(Broken::rule(location, "is no time: give a number")),
        (Unit::Share, Figure::Number(share)) if !(0.0..=1.0).contains(&share) => {
            Err(Broken::rule(location, "a share is from 0 to 1"))
        }
        (_, Figure::Number(number)) if !(number >= 0.0 && number.is_finite()) => {
            Err(Broken::rule(location, "must be 0 or more"))
        }
        (_, Figure::Number(number)) => Ok(number),
    }
}
