//! Which endpoint a call goes to: of two taken at random the one that costs less (the power of two choices), among those
//! that are in service. Pure: costs, states and randomness come from outside.

use std::time::Duration;

/// Whether an endpoint may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// It may.
    In,
    /// It has just failed: only if there is no other.
    Suspect,
    /// It was ejected, and its time is over: one call finds out.
    Due,
    /// It is ejected for so long.
    Ejected(Duration),
}

/// One endpoint, as a call sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) cost: f64,
    pub(super) service: Service,
    /// An earlier attempt of the same call went there.
    pub(super) tried: bool,
}

/// Where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) index: usize,
    /// It is ejected, and called because too many are.
    pub(super) in_spite: bool,
}

/// Chooses, `random` giving a number below its argument. `None` only if there is no candidate.
///
/// An endpoint that was tried is tried again only if there is no other. Never more than half are out of service, as in
/// Envoy: where that many fail, it is not they who are outliers, and the rest could not bear the load.
pub(super) fn choose(
    candidates: &[Candidate],
    random: impl FnMut(usize) -> usize,
) -> Option<Choice> {
    let spared = spared(candidates);
    let wishes: [fn(&Candidate) -> bool; 3] = [
        |it| !it.tried && it.service != Service::Suspect,
        |it| !it.tried,
        |_| true,
    ];
    let usable = wishes
        .into_iter()
        .map(|wish| usable(candidates, &spared, wish))
        .find(|usable| !usable.is_empty())?;
    let due = usable
        .iter()
        .find(|index| candidates[**index].service == Service::Due);
    let index = match due {
        Some(due) => *due,
        None => cheaper_of_two(candidates, &usable, random)?,
    };
    Some(Choice {
        index,
        in_spite: spared.contains(&index),
    })
}

/// The ejected ones that stay in service: those beyond half, the soonest to return.
fn spared(candidates: &[Candidate]) -> Vec<usize> {
    let mut ejected: Vec<(Duration, usize)> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, it)| match it.service {
            Service::Ejected(left) => Some((left, index)),
            Service::In | Service::Suspect | Service::Due => None,
        })
        .collect();
    let too_many = ejected.len().saturating_sub(candidates.len() / 2);
    ejected.sort_unstable();
    ejected
        .into_iter()
        .take(too_many)
        .map(|(_, index)| index)
        .collect()
}

fn usable(
    candidates: &[Candidate],
    spared: &[usize],
    wanted: impl Fn(&Candidate) -> bool,
) -> Vec<usize> {
    let in_service = |(index, it): &(usize, &Candidate)| {
        wanted(it) && (!matches!(it.service, Service::Ejected(_)) || spared.contains(index))
    };
    let found = candidates.iter().enumerate().filter(in_service);
    found.map(|(index, _)| index).collect()
}

fn cheaper_of_two(
    candidates: &[Candidate],
    usable: &[usize],
    mut random: impl FnMut(usize) -> usize,
) -> Option<usize> {
    let [first, rest @ ..] = usable else {
        return None;
    };
    if rest.is_empty() {
        return Some(*first);
    }
    let one = random(usable.len());
    let other = (one + 1 + random(rest.len())) % usable.len();
    let (one, other) = (*usable.get(one)?, *usable.get(other)?);
    let cheaper = candidates[other].cost < candidates[one].cost;
    Some(if cheaper { other } else { one })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(cost: f64, service: Service) -> Candidate {
        Candidate {
            cost,
            service,
            tried: false,
        }
    }

    fn gone(seconds: u64) -> Service {
        Service::Ejected(Duration::from_secs(seconds))
    }

    /// Who is chosen in a thousand choices, and how often.
    fn chosen(candidates: &[Candidate]) -> Vec<usize> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut counts = vec![0; candidates.len()];
        for _ in 0..1000 {
            counts[choose(candidates, |below| random.usize(..below))
                .unwrap()
                .index] += 1;
        }
        counts
    }

    #[test]
    fn the_costliest_of_three_is_never_chosen_and_of_equal_ones_each() {
        let counts = chosen(&[1.0, 9.0, 1.0].map(|cost| endpoint(cost, Service::In)));
        assert_eq!(counts[1], 0);
        let counts = chosen(&[1.0; 3].map(|cost| endpoint(cost, Service::In)));
        assert!(counts.iter().all(|count| *count > 250), "{counts:?}");
    }

    #[test]
    fn who_is_ejected_is_not_called_until_its_time_is_over_and_then_first() {
        let in_service = endpoint(5.0, Service::In);
        assert_eq!(
            chosen(&[in_service, in_service, endpoint(0.0, gone(3))])[2],
            0
        );
        let due = endpoint(0.0, Service::Due);
        assert_eq!(chosen(&[in_service, in_service, due])[2], 1000);
    }

    #[test]
    fn who_has_just_failed_is_called_only_if_there_is_no_other() {
        let suspect = endpoint(0.0, Service::Suspect);
        assert_eq!(chosen(&[suspect, endpoint(9.0, Service::In)]), [0, 1000]);
        assert_eq!(chosen(&[suspect, endpoint(9.0, gone(1))]), [1000, 0]);
    }

    #[test]
    fn never_more_than_half_are_out_of_service() {
        let all = [3, 1, 2].map(|left| endpoint(1.0, gone(left)));
        let counts = chosen(&all);
        assert_eq!(counts[0], 0, "the last to return stays out");
        assert!(counts[1] > 300 && counts[2] > 300, "{counts:?}");
        let choice = choose(&all, |_| 0).unwrap();
        assert!(choice.in_spite);
    }

    #[test]
    fn a_second_attempt_goes_elsewhere_as_long_as_there_is_an_elsewhere() {
        let tried = |cost| Candidate {
            tried: true,
            ..endpoint(cost, Service::In)
        };
        assert_eq!(chosen(&[tried(0.0), endpoint(9.0, Service::In)]), [0, 1000]);
        assert_eq!(chosen(&[tried(0.0), endpoint(9.0, gone(1))]), [1000, 0]);
        assert_eq!(choose(&[], |_| 0), None);
    }
}
