//! `[[fault]]`: the kinds, with the keys that each has.

use super::error::Broken;
use super::file;
use super::location::Location;
use crate::plan::{Fault, Kind, KindName};

/// The faults, in the order of the file.
pub(super) fn typed(faults: Vec<file::Fault>) -> Result<Vec<Fault>, Broken> {
    let fault = |(at, fault): (usize, file::Fault)| {
        let location = Location::default().key("fault").index(at);
        Ok(Fault {
            target: fault.target,
            kind: kind(&fault, &location)?,
            at: fault.at,
            lasts: fault.lasts,
        })
    };
    faults.into_iter().enumerate().map(fault).collect()
}

fn kind(fault: &file::Fault, location: &Location) -> Result<Kind, Broken> {
    only_its_own_keys(fault, location)?;
    let share = fault.share.unwrap_or(1.0);
    Ok(match fault.kind {
        KindName::Kill => Kind::Kill,
        KindName::Pause => Kind::Pause,
        KindName::Restart => Kind::Restart,
        KindName::Replace => Kind::Replace,
        KindName::Partition => Kind::Partition,
        KindName::Switchover => Kind::Switchover,
        KindName::Drain => Kind::Drain,
        KindName::Refuse => Kind::Refuse,
        KindName::Blackhole => Kind::Blackhole,
        KindName::Latency => Kind::Latency {
            delay: needed(fault.delay, "delay", location)?,
            jitter: fault.jitter.unwrap_or_default(),
            share,
        },
        KindName::Reset => Kind::Reset {
            after_bytes: fault.after_bytes.unwrap_or_default(),
            share,
        },
        KindName::Garbage => Kind::Garbage { share },
        KindName::Status => Kind::Status {
            code: needed(fault.code, "code", location)?,
            share,
        },
        KindName::Lock => Kind::Lock,
        KindName::Connections => Kind::Connections,
        KindName::ReadOnly => Kind::ReadOnly,
        KindName::Surge => Kind::Surge {
            rate: needed(fault.rate, "rate", location)?,
            priority: fault.priority,
        },
        // No file can say so.
        KindName::LossyFailover => Kind::LossyFailover,
    })
}

/// Beside target, kind, at and for.
fn keys_of(kind: KindName) -> &'static [&'static str] {
    match kind {
        KindName::Latency => &["delay", "jitter", "share"],
        KindName::Reset => &["after_bytes", "share"],
        KindName::Garbage => &["share"],
        KindName::Status => &["code", "share"],
        KindName::Surge => &["rate", "priority"],
        _ => &[],
    }
}

fn only_its_own_keys(fault: &file::Fault, location: &Location) -> Result<(), Broken> {
    let given = [
        ("delay", fault.delay.is_some()),
        ("jitter", fault.jitter.is_some()),
        ("after_bytes", fault.after_bytes.is_some()),
        ("code", fault.code.is_some()),
        ("share", fault.share.is_some()),
        ("rate", fault.rate.is_some()),
        ("priority", fault.priority.is_some()),
    ];
    let own = keys_of(fault.kind);
    let foreign = given
        .iter()
        .find(|(key, given)| *given && !own.contains(key));
    let Some((key, _)) = foreign else {
        return Ok(());
    };
    let has = match own {
        [] => "no key of its own".to_owned(),
        own => own.join(", "),
    };
    let rule = format!("this kind of fault does not have it: it has {has}");
    Err(Broken::rule(location.key(key), rule))
}

fn needed<T>(value: Option<T>, key: &str, location: &Location) -> Result<T, Broken> {
    let rule = || format!("this kind of fault needs `{key}`");
    value.ok_or_else(|| Broken::rule(location.clone(), rule()))
}
