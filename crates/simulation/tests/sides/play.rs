//! A statement on either side.

use std::time::Duration;

use holdfast_api::embedded::{Claimed, Table};
use holdfast_simulation::postgres::Conditions;
use holdfast_simulation::postgres::rows::Tables;

use super::{HELD, LONGEST, Statement, now};

/// What `statement` comes to on the real one; `claim` is the one at a place.
pub async fn ask<T: Table>(
    real: &T,
    statement: &Statement,
    claim: impl Fn(usize) -> Option<Claimed>,
) -> String {
    match statement {
        Statement::Insert(rows) => format!("{:?}", real.insert(rows).await.unwrap()),
        Statement::InsertKeyed(rows) => format!("{:?}", real.insert_keyed(rows).await.unwrap()),
        Statement::Finish(rows) => format!("{:?}", real.finish(rows).await.unwrap()),
        Statement::GiveUp(id) => format!("{:?}", real.give_up(*id, "no").await.unwrap()),
        Statement::Claim(limit, lease) => {
            let claimed = real.claim(*limit, *lease, LONGEST).await.unwrap();
            format!("{}", claimed.len())
        }
        Statement::CompleteOpen(id, response) => {
            format!("{}", real.complete_open(*id, response, 1).await.unwrap())
        }
        Statement::Extend(at) => match claim(*at) {
            Some(claim) => format!("{}", real.extend(claim, HELD).await.unwrap().is_some()),
            None => String::new(),
        },
        Statement::GiveBack(at) => match claim(*at) {
            Some(claim) => format!("{:?}", real.give_back(claim, Duration::ZERO).await.unwrap()),
            None => String::new(),
        },
        Statement::CountFailure(at) => match claim(*at) {
            Some(claim) => {
                let counted = real.count_failure(claim, "no", 3, Duration::ZERO).await;
                format!("{:?}", counted.unwrap())
            }
            None => String::new(),
        },
        Statement::Replay(entries) => {
            format!("{:?}", real.replay(entries, HELD).await.unwrap())
        }
        Statement::Refuse(entry) => format!("{:?}", real.refuse(entry, "no").await.unwrap()),
        Statement::Look(id) => format!("{:?}", real.by_id(*id).await.unwrap()),
        Statement::LookUp(key) => format!("{:?}", real.by_key(key, None).await.unwrap()),
    }
}

/// What it comes to on the model.
pub fn tell(
    model: &mut Tables,
    statement: &Statement,
    claim: impl Fn(usize) -> Option<Claimed>,
) -> String {
    let (inside, now) = (Conditions::default(), now());
    match statement {
        Statement::Insert(rows) => format!("{:?}", model.insert(rows, now)),
        Statement::InsertKeyed(rows) => format!("{:?}", model.insert_keyed(rows, &inside, now)),
        Statement::Finish(rows) => format!("{:?}", model.finish(rows, &inside, now)),
        Statement::GiveUp(id) => format!("{:?}", model.give_up(*id, "no", now)),
        Statement::Claim(limit, lease) => {
            let claimed = model.claim(*limit, *lease, LONGEST, &inside, now).unwrap();
            format!("{}", claimed.len())
        }
        Statement::CompleteOpen(id, response) => {
            let completed = model.complete_open(*id, response, 1, &inside, now);
            format!("{}", completed.unwrap())
        }
        Statement::Extend(at) => match claim(*at) {
            Some(claim) => format!("{}", model.extend(claim, HELD, now).is_some()),
            None => String::new(),
        },
        Statement::GiveBack(at) => match claim(*at) {
            Some(claim) => {
                model.extend(claim, Duration::ZERO, now);
                "()".to_owned()
            }
            None => String::new(),
        },
        Statement::CountFailure(at) => match claim(*at) {
            Some(claim) => {
                let counted = model.count_failure(claim, "no", 3, Duration::ZERO, now);
                format!("{counted:?}")
            }
            None => String::new(),
        },
        Statement::Replay(entries) => format!("{:?}", model.replay(entries, &inside, now)),
        Statement::Refuse(entry) => {
            model.refuse(entry, "no", now);
            "Recorded { conflicts: [] }".to_owned()
        }
        Statement::Look(id) => format!("{:?}", model.by_id(*id, now)),
        Statement::LookUp(key) => format!("{:?}", model.by_key(key, None, now)),
    }
}
