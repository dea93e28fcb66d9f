//! Done, deferred or refused: what a call is answered, from what became of its parts.

use holdfast_wire::{Degraded, DegradedCode, RecordedIn};
use uuid::Uuid;

use super::existing::RequestState;
use super::outcome::Outcome;
use super::ports::WorkResult;
use crate::config::{OnDatabaseUnavailable, OnWorkerUnavailable};

/// What the policy file says about answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnswerRules {
    /// What to do without the worker.
    pub on_worker_unavailable: OnWorkerUnavailable,
    /// What to do without the database.
    pub on_database_unavailable: OnDatabaseUnavailable,
}

/// Where the acceptance of a request is durable.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Accepted {
    /// In Postgres.
    Database,
    /// In the journal, and why not in Postgres.
    Journal(Degraded),
}

/// What became of the work, and of its record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum WorkOutcome {
    /// The worker gave no result.
    Unavailable(Degraded),
    /// The result is recorded in Postgres.
    Recorded(WorkResult),
    /// It is recorded in the journal, and why not in Postgres.
    Journalled(WorkResult, Degraded),
    /// Postgres has another end, which stays.
    EndedOtherwise(RequestState),
    /// It is recorded nowhere, and why: the work will be done again.
    Unrecorded(Degraded),
}

impl Accepted {
    /// As answers say it.
    pub(super) fn recorded_in(&self) -> RecordedIn {
        match self {
            Self::Database => RecordedIn::Database,
            Self::Journal(_) => RecordedIn::Journal,
        }
    }
}

/// The answer for the request `id`.
pub(super) fn decide(
    rules: AnswerRules,
    id: Uuid,
    accepted: Accepted,
    worked: WorkOutcome,
) -> Outcome {
    let done = |result, recorded_in, degraded| Outcome::Done {
        id,
        result,
        recorded_in,
        degraded,
        replayed: false,
    };
    let recorded_in = accepted.recorded_in();
    let deferred = |degraded| Outcome::Deferred {
        id,
        recorded_in,
        degraded,
        replayed: false,
    };
    match worked {
        WorkOutcome::Recorded(result) => done(result, RecordedIn::Database, vec![]),
        WorkOutcome::Journalled(result, database) => {
            done(result, RecordedIn::Journal, vec![database])
        }
        WorkOutcome::EndedOtherwise(state) => match state {
            RequestState::Done(result) => done(result, RecordedIn::Database, vec![]),
            RequestState::Failed(error) => Outcome::Failed { id, error },
            RequestState::Cancelled => cancelled(id),
            RequestState::Running | RequestState::Waiting => deferred(vec![]),
        },
        WorkOutcome::Unrecorded(database) => match rules.on_database_unavailable {
            OnDatabaseUnavailable::Journal => deferred(vec![database]),
            OnDatabaseUnavailable::Reject => {
                Outcome::refused(DegradedCode::DbUnavailable, vec![database])
            }
        },
        WorkOutcome::Unavailable(worker) => {
            let mut degraded = vec![worker];
            if let Accepted::Journal(database) = accepted {
                degraded.push(database);
            }
            match rules.on_worker_unavailable {
                OnWorkerUnavailable::Defer => deferred(degraded),
                OnWorkerUnavailable::Reject => {
                    Outcome::refused(DegradedCode::WorkerUnavailable, degraded)
                }
            }
        }
    }
}

/// The answer for a request that an operator gave up.
pub(super) fn cancelled(id: Uuid) -> Outcome {
    Outcome::Failed {
        id,
        error: "cancelled by an operator".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use holdfast_wire::{JsonText, Reason};
    use jiff::Timestamp;

    use super::*;

    const DEFER: AnswerRules = AnswerRules {
        on_worker_unavailable: OnWorkerUnavailable::Defer,
        on_database_unavailable: OnDatabaseUnavailable::Journal,
    };
    const REJECT: AnswerRules = AnswerRules {
        on_worker_unavailable: OnWorkerUnavailable::Reject,
        on_database_unavailable: OnDatabaseUnavailable::Reject,
    };

    fn missing(code: DegradedCode) -> Degraded {
        Degraded {
            code,
            reason: Reason::CircuitOpen,
            detail: String::new(),
            attempts: 0,
            elapsed_seconds: 0.0,
            retry_after_seconds: 1.0,
        }
    }

    fn result() -> WorkResult {
        WorkResult {
            response: JsonText::parse(r#"{"status":"done"}"#.to_owned()).unwrap(),
            completed_at: Timestamp::UNIX_EPOCH,
            attempts: 1,
        }
    }

    /// Status, where it is recorded, and the codes of what was missing, in order.
    fn shown(outcome: &Outcome) -> String {
        let codes = |degraded: &[Degraded]| {
            let codes = degraded.iter().map(|it| it.code.as_str());
            codes.collect::<Vec<_>>().join(",")
        };
        match outcome {
            Outcome::Done {
                recorded_in,
                degraded,
                ..
            } => format!("200 {recorded_in:?} {}", codes(degraded)),
            Outcome::Deferred {
                recorded_in,
                degraded,
                ..
            } => format!("202 {recorded_in:?} {}", codes(degraded)),
            Outcome::Refused(refusal) => {
                format!("503 {} {}", refusal.code, codes(&refusal.degraded))
            }
            Outcome::Failed { error, .. } => format!("409 {error}"),
            Outcome::KeyReused { .. } => "422".to_owned(),
        }
    }

    fn database() -> Degraded {
        missing(DegradedCode::DbUnavailable)
    }

    fn no_worker() -> WorkOutcome {
        WorkOutcome::Unavailable(missing(DegradedCode::WorkerUnavailable))
    }

    fn journalled() -> WorkOutcome {
        WorkOutcome::Journalled(result(), database())
    }

    #[track_caller]
    fn assert_answered(
        rules: AnswerRules,
        accepted: Accepted,
        worked: WorkOutcome,
        expected: &str,
    ) {
        let outcome = decide(rules, Uuid::nil(), accepted, worked);
        assert_eq!(shown(&outcome), expected);
    }

    #[test]
    fn what_is_missing_is_told_and_nothing_else_is() {
        let assert_in = |accepted, worked, expected| {
            assert_answered(DEFER, accepted, worked, expected);
        };
        let journal = || Accepted::Journal(database());
        let both = "202 Journal worker_unavailable,db_unavailable";
        assert_in(
            Accepted::Database,
            WorkOutcome::Recorded(result()),
            "200 Database ",
        );
        assert_in(
            Accepted::Database,
            no_worker(),
            "202 Database worker_unavailable",
        );
        assert_in(
            Accepted::Database,
            journalled(),
            "200 Journal db_unavailable",
        );
        assert_in(journal(), journalled(), "200 Journal db_unavailable");
        assert_in(journal(), no_worker(), both);
        let unrecorded = WorkOutcome::Unrecorded(database());
        assert_in(
            Accepted::Database,
            unrecorded,
            "202 Database db_unavailable",
        );
    }

    #[test]
    fn an_end_that_postgres_has_is_the_answer() {
        for (state, expected) in [
            (RequestState::Done(result()), "200 Database "),
            (RequestState::Failed("no".to_owned()), "409 no"),
            (RequestState::Cancelled, "409 cancelled by an operator"),
        ] {
            let ended = WorkOutcome::EndedOtherwise(state);
            assert_answered(DEFER, Accepted::Database, ended, expected);
        }
    }

    #[test]
    fn a_policy_that_rejects_promises_nothing() {
        let worker = "503 worker_unavailable worker_unavailable";
        assert_answered(REJECT, Accepted::Database, no_worker(), worker);
        let unrecorded = WorkOutcome::Unrecorded(database());
        let database = "503 db_unavailable db_unavailable";
        assert_answered(REJECT, Accepted::Database, unrecorded, database);
    }
}
