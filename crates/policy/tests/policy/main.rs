//! The policies as their users meet them, on paused time: what one sentence of the contract says,
//! one test shows.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod breaker;
#[cfg(test)]
mod bulkhead;
#[cfg(test)]
mod cancel;
#[cfg(test)]
#[cfg(feature = "serde")]
mod config;
#[cfg(test)]
mod deadline;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod events;
#[cfg(test)]
mod half_open;
#[cfg(test)]
mod hedge;
#[cfg(test)]
#[cfg(feature = "serde")]
mod hedge_config;
#[cfg(test)]
mod hedge_race;
#[cfg(test)]
mod hedge_slots;
#[cfg(test)]
mod keyed;
#[cfg(test)]
mod keyed_kept;
#[cfg(test)]
mod keyed_policies;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod left_out;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod reconfigure;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod retry;
#[cfg(test)]
mod retry_budget;
#[cfg(test)]
mod retry_causes;
#[cfg(test)]
mod support;
#[cfg(test)]
mod throttled;
