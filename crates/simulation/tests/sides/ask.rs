//! A statement on either side.

use std::fmt::Debug;
use std::time::Duration;

use holdfast_api::embedded::{
    Claimed, CompletedOpen, ExistingRequest, Finished, Inserted, Replayed, RequestState, Table,
    Written,
};
use holdfast_wire::JsonText;
use jiff::Timestamp;

use super::{HELD, LONGEST, Statement};

/// What a statement came to.
pub(super) struct Answer {
    /// As both sides must have it.
    pub(super) text: String,
    /// Which of its rows it wrote; unlike what else it says, that is read in the statement that writes.
    pub(super) wrote: Vec<bool>,
    /// What it claimed, by id.
    pub(super) claimed: Vec<Claimed>,
}

/// What `statement` comes to on `table`, about `claim` if it is about one.
pub(super) async fn ask<T: Table>(
    table: &T,
    statement: &Statement,
    claim: Option<Claimed>,
) -> Answer {
    let (mut wrote, mut claimed) = (vec![], vec![]);
    let text = match statement {
        Statement::Insert(rows) => {
            let inserted = undated_new(table.insert(rows).await.unwrap());
            wrote = each(&inserted, &Inserted::Ours);
            shown(inserted)
        }
        Statement::InsertKeyed(rows) => {
            let inserted = undated_new(table.insert_keyed(rows).await.unwrap());
            wrote = each(&inserted, &Inserted::Ours);
            shown(inserted)
        }
        Statement::Finish(rows) => {
            let finished = undated_ends(table.finish(rows).await.unwrap());
            wrote = each(&finished, &Finished::Recorded);
            shown(finished)
        }
        Statement::Write(new, ends) => {
            let (inserted, finished) = table.write(new, ends).await.unwrap();
            let ends = ends.iter().map(|end| end.response.as_deref());
            let finished: Vec<_> = ends.zip(undated_ends(finished)).map(is_recorded).collect();
            shown((undated_new(inserted), finished))
        }
        Statement::Record(request, result) => refused(table.record(request, result).await),
        Statement::RecordFailed(request) => refused(table.record_failed(request, "no").await),
        Statement::GiveUp(id) => refused(table.give_up(*id, "no").await),
        Statement::Claim(limit, lease) => {
            let mut open = table.claim(*limit, *lease, LONGEST).await.unwrap();
            open.sort_by_key(|open| open.claimed.id);
            claimed = open.iter().map(|open| open.claimed).collect();
            let shows = open.iter().map(|it| {
                let body = it.payload.as_ref().map(|it| it.get());
                format!("{} {} {body:?}", it.claimed.id, it.claimed.failures)
            });
            shows.collect::<Vec<_>>().join("; ")
        }
        Statement::CompleteOpen(id, response) => {
            let completed = table.complete_open(*id, response, 1).await.unwrap();
            wrote = vec![completed == CompletedOpen::Recorded];
            shown(&wrote)
        }
        Statement::Extend(_) | Statement::GiveBack(_) | Statement::CountFailure(_) => match claim {
            Some(claim) => about(table, statement, claim).await,
            None => String::new(),
        },
        Statement::Replay(entries) => {
            let mut replayed = table.replay(entries, HELD).await.unwrap();
            if let Replayed::Recorded { conflicts } = &mut replayed {
                conflicts.sort_unstable();
            }
            shown(replayed)
        }
        Statement::Refuse(entry) => shown(table.refuse(entry, "no").await.unwrap()),
        Statement::Look(id) => shown(table.by_id(*id).await.unwrap().map(undated)),
        Statement::LookUp(key) => shown(table.by_key(key, None).await.unwrap().map(undated)),
        Statement::CountOpen => shown(table.count_open().await.unwrap().count),
        Statement::Forget => {
            let forgotten = table.forget(Duration::ZERO, 1000, None).await;
            shown(forgotten.unwrap().rows)
        }
    };
    Answer {
        text,
        wrote,
        claimed,
    }
}

/// What a statement about `claim` comes to.
async fn about<T: Table>(table: &T, statement: &Statement, claim: Claimed) -> String {
    match statement {
        Statement::Extend(_) => shown(table.extend(claim, HELD).await.unwrap().is_some()),
        Statement::GiveBack(_) => refused(table.give_back(claim, Duration::ZERO).await),
        _ => {
            let count = table.count_failure(claim, "no", 3, Duration::ZERO);
            shown(count.await.unwrap())
        }
    }
}

fn each<T: PartialEq>(outcomes: &[Written<T>], is: &T) -> Vec<bool> {
    let wrote = |outcome: &Written<T>| matches!(outcome, Written::Run(it) if it == is);
    outcomes.iter().map(wrote).collect()
}

/// Each side has a clock of its own.
fn undated(mut existing: ExistingRequest) -> ExistingRequest {
    if let RequestState::Done(result) = &mut existing.state {
        result.completed_at = Timestamp::UNIX_EPOCH;
    }
    existing
}

fn undated_new(written: Vec<Written<Inserted>>) -> Vec<Written<Inserted>> {
    let undated = |inserted| match inserted {
        Written::Run(Inserted::Existing(existing)) => {
            Written::Run(Inserted::Existing(undated(existing)))
        }
        other => other,
    };
    written.into_iter().map(undated).collect()
}

fn undated_ends(written: Vec<Written<Finished>>) -> Vec<Written<Finished>> {
    let undated = |finished| match finished {
        Written::Run(Finished::Untouched(existing)) => {
            Written::Run(Finished::Untouched(existing.map(undated)))
        }
        other => other,
    };
    written.into_iter().map(undated).collect()
}

fn shown(answer: impl Debug) -> String {
    format!("{answer:?}")
}

/// The error's own words differ.
fn refused<E>(answer: Result<(), E>) -> String {
    shown(answer.map_err(|_| "refused"))
}

/// A write of both kinds that had to be repeated kind by kind finds what it ended itself.
fn is_recorded((response, finished): (Option<&str>, Written<Finished>)) -> String {
    match &finished {
        Written::Run(Finished::Recorded) => "recorded".to_owned(),
        Written::Run(Finished::Untouched(Some(row))) => match &row.state {
            state if response.is_some() && response == state.response().map(JsonText::get) => {
                "recorded".to_owned()
            }
            _ => shown(finished),
        },
        _ => shown(finished),
    }
}
