//! stub
use crate::{error::LabError, output::Console, settings::*};
use super::plan::*; use super::play::*; use super::scene::*; use super::scene::guard::Guard;
use holdfast_ops::signals::StopSignals;
#[allow(missing_docs)]
#[derive(Debug)]
pub enum Outcome { Held, Deviated, NotPlayed }
#[allow(missing_docs)]
#[derive(Debug)]
pub struct Wish { pub experiments: Option<Vec<String>>, pub seed: Option<u64>, pub repeat: u32, pub json: bool, pub keep: bool }
#[allow(missing_docs)]
pub async fn run(wish: &Wish, settings: &Settings, console: Console) -> Result<Outcome, LabError> {
    let mut signals = StopSignals::listen().map_err(LabError::file("listen for", "signals"))?;
    let guard = Guard::post(StageKind::Local)?;
    let ground = Ground::prepare(settings.stage.unwrap_or(StageKind::Local), settings, console).await?;
    use std::time::Duration as D;
    let f = |target, kind| Fault { target, kind, at: D::from_secs(2), lasts: D::from_secs(4) };
    let all = D::from_millis(0);
    let list = vec![
        ("kill w", f(Target::Worker, Kind::Kill)), ("pause w", f(Target::Worker, Kind::Pause)), ("kill d", f(Target::Database, Kind::Kill)),("pause d", f(Target::Database, Kind::Pause)),
        ("lock", f(Target::Database, Kind::Lock)),("conns", f(Target::Database, Kind::Connections)),("ro", f(Target::Database, Kind::ReadOnly)),
        ("bh", f(Target::Worker, Kind::Blackhole)),("refuse", f(Target::Database, Kind::Refuse)), ("lat", f(Target::Worker, Kind::Latency{delay: D::from_secs(1), jitter: all, share: 0.05})),
        ("latdb", f(Target::Database, Kind::Latency{delay: D::from_millis(400), jitter: all, share: 1.0})),
        ("reset", f(Target::Worker, Kind::Reset{after_bytes: 20, share: 1.0})), ("garb", f(Target::Worker, Kind::Garbage{share: 1.0})),("status", f(Target::Worker, Kind::Status{code:500, share:0.5})),
        ("kill api", f(Target::Api, Kind::Kill)),("restart w", f(Target::Worker, Kind::Restart)),
    ];
    for (name, fault) in list {
        if let Some(w) = &wish.experiments { if !w.iter().any(|w| w == name || w == "all") { continue; } }
        console.print(format_args!("=== {name}"));
        let experiment = Experiment { name: name.into(), title: String::new(), question: String::new(), prediction: String::new(), stages: vec![],
            system: System { work_delay: D::from_millis(200), policies: toml::Table::new() },
            load: Load { rate: 40.0, arrivals: crate::load::Arrivals::Poisson, lasts: D::from_secs(9), patience: D::from_secs(5), seed: 1, leaving: None },
            faults: vec![fault], naive: vec![], resilient: vec![] };
        let policies = super::policies::of(&experiment, &settings.root, None)?;
        for side in Side::BOTH {
            let playing = Playing { experiment: &experiment, policies: &policies, ground: &ground, settings, console, keep: wish.keep };
            let trial = match playing.trial(side, &mut signals).await { Ok(t) => t, Err(e) => { console.print(format_args!("ERR {e} {:?}", e.context())); continue } };
            let mut ends = std::collections::BTreeMap::new();
            for c in &trial.calls { let k = match &c.end { super::trial::End::Answered{status, degraded, ..} => format!("{status} {}", degraded.join(",")), o => format!("{o:?}") }; *ends.entry(k).or_insert(0) += 1; }
            let mut lat: Vec<f64> = trial.calls.iter().map(|c| c.latency().as_secs_f64()).collect(); lat.sort_by(f64::total_cmp);
            console.print(format_args!("{side}: {ends:?} p50 {:.3} max {:.3} {:?} {:?} arrivals {:?}", lat[lat.len()/2], lat[lat.len()-1], trial.ledger, trial.generator, trial.samples.last()));
            for t in &trial.transitions { console.print(format_args!("   {:.2} {} {}->{}", t.at.as_secs_f64(), t.dependency, t.from, t.to)); }
        }
    }
    guard.dismiss().await;
    Ok(Outcome::Held)
}
