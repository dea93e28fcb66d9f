//! What only operators may: they show a token.

use holdfast_wire::{ProblemCode as Code, RequestStatus, Requeued};
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Required, Response};

use super::answers::{json as body, text};
use super::examples;
use super::parts::{id, operation, parameter, responses};

/// The scheme's name in the document.
pub(super) const TOKEN: &str = "admin_token";

const REFUSED: [Code; 4] = [
    Code::Unauthorized,
    Code::OperatorsDisabled,
    Code::CrossSite,
    Code::DbUnavailable,
];

pub(in crate::http) fn retry() -> Operation {
    let summary = "Have a failed or cancelled request done after all";
    let owed = body("It is owed again", &[("owed again", examples::request())]);
    of_one("retry_request", summary, owed.build(), Code::NotFailed)
}

pub(in crate::http) fn cancel() -> Operation {
    let summary = "Give an open request up";
    let given_up = body("It is given up", &[("given up", examples::cancelled())]);
    of_one(
        "cancel_request",
        summary,
        given_up.build(),
        Code::AlreadyFinished,
    )
}

pub(in crate::http) fn retry_all() -> Operation {
    let ordered = Requeued {
        count: 15_000,
        per_second: 40.0,
    };
    let ordered = body("They are owed again, step by step", &[("many", ordered)]);
    let failed = text().enum_values(Some([RequestStatus::Failed.as_str()]));
    let status = parameter(
        "status",
        ParameterIn::Query,
        "Which: all that failed",
        failed,
        RequestStatus::Failed.as_str(),
    );
    let codes = [&REFUSED[..], &[Code::InvalidQuery]].concat();
    operated(
        "retry_requests",
        "Have all failed requests done after all, at a pace",
    )
    .parameter(ParameterBuilder::from(status).required(Required::True))
    .responses(responses([("202", ordered.build())], &codes))
    .build()
}

fn of_one(name: &str, summary: &str, changed: Response, conflict: Code) -> Operation {
    let own = [conflict, Code::InvalidId, Code::RequestNotFound];
    let codes = [&REFUSED[..], &own].concat();
    operated(name, summary)
        .parameter(id())
        .responses(responses([("200", changed)], &codes))
        .build()
}

fn operated(name: &str, summary: &str) -> OperationBuilder {
    let no_scopes: [&str; 0] = [];
    operation(name, summary).security(SecurityRequirement::new(TOKEN, no_scopes))
}
