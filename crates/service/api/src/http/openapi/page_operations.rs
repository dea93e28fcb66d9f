//! The operations of the page: its files, and the stream that keeps it live.

use holdfast_wire::ProblemCode as Code;
use utoipa::openapi::content::Content;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Required, ResponseBuilder};

use super::answers::{bare, other, text, with};
use super::parts::{operation, parameter, plain, responses};
use crate::http::dashboard::{HEADERS, KINDS, paths};

/// As it is sent, up to the empty line that ends it.
const EVENT: &str = "event: transition\ndata: {\"dependency\":\"worker\",\"from\":\"closed\",\"to\":\"open\",\"generation\":3}\n\n";

pub(in crate::http) fn page() -> Operation {
    let page = file("The page").content("text/html", Content::default());
    plain("page", "The service, live, for a browser", page.build())
}

pub(in crate::http) fn asset() -> Operation {
    let file = KINDS.iter().fold(file("The file"), |answer, kind| {
        answer.content(*kind, Content::default())
    });
    let path = text().enum_values(Some(paths()));
    let path = parameter(
        "path",
        ParameterIn::Path,
        "Which file, slashes included",
        path,
        "js/main.js",
    );
    operation("asset", "A file of the page")
        .parameter(ParameterBuilder::from(path).required(Required::True))
        .responses(responses([("200", file.build())], &[Code::NotFound]))
        .build()
}

pub(in crate::http) fn events() -> Operation {
    let stream = other(
        "Until the service drains. The data of the event `live` is the schema `Live`: sent when it changes, and at least every \
         two seconds. That of `transition` is the schema `Transition`: sent when a breaker changes its state",
        "text/event-stream",
        text().examples([EVENT]),
    );
    operation(
        "events",
        "What the page shows, as it changes: server-sent events without an end",
    )
    .responses(responses([("200", stream.build())], &[Code::Overloaded]))
    .build()
}

/// An answer with what every file is served with.
fn file(description: &str) -> ResponseBuilder {
    let names = HEADERS.iter().map(|(name, _)| name);
    names.fold(bare(description), |answer, name| with(answer, name))
}
