//! What is asked: `/lab/` acts on the stage, the rest goes to the API.

use clap::ValueEnum;
use holdfast_system::error::SystemError;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, ORIGIN, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode};
use reqwest::{Body, Client};

use super::access::{Access, Refusal};
use crate::stage::{Condition, Service, Stage};

const UNDER: &str = "/lab/";

/// What belongs to every connection.
pub(super) struct Shared {
    pub(super) access: Access,
    pub(super) stage: Stage,
    pub(super) client: Client,
}

impl Shared {
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let answer = match path.strip_prefix(UNDER) {
            Some(action) => self.act(&request, action).await,
            None => self.pass_on(request).await,
        };
        answer.unwrap_or_else(|(status, why)| tell(status, "text/plain; charset=utf-8", why))
    }

    /// `services`, or a verb and a service: `kill/worker`.
    async fn act(
        &self,
        request: &Request<Incoming>,
        action: &str,
    ) -> Result<Response<Body>, Refusal> {
        self.access.may_act(request.headers())?;
        let method = request.method();
        if *method == Method::GET && action == "services" {
            return self.services().await.map_err(failed);
        }
        let unknown = || (StatusCode::NOT_FOUND, format!("there is no {action}"));
        let (verb, name) = action.split_once('/').ok_or_else(unknown)?;
        let service = Service::from_str(name, false).map_err(|_| unknown())?;
        if *method != Method::POST {
            let why = "this is asked for with POST".to_owned();
            return Err((StatusCode::METHOD_NOT_ALLOWED, why));
        }
        let done = match verb {
            "kill" => self.stage.kill(service).await,
            "start" => self.stage.start(service).await,
            "pause" => self.stage.pause(service).await,
            _ => return Err(unknown()),
        };
        done.map_err(failed)?;
        Ok(tell(StatusCode::NO_CONTENT, "text/plain", String::new()))
    }

    async fn services(&self) -> Result<Response<Body>, SystemError> {
        let conditions = self.stage.conditions().await?;
        let lines = conditions
            .iter()
            .map(|(service, condition)| format!("\"{service}\":\"{}\"", word(condition)));
        let text = format!("{{{}}}", lines.collect::<Vec<_>>().join(","));
        Ok(tell(StatusCode::OK, "application/json", text))
    }

    /// What is asked of the API, as it came.
    async fn pass_on(&self, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        self.access.is_meant(request.headers())?;
        let port = self.stage.api_port().await.map_err(failed)?;
        let asked = request.uri().path_and_query();
        let asked = asked.map_or("/", |it| it.as_str()).to_owned();
        let method = request.method().clone();
        let mut headers = request.headers().clone();
        for name in [HOST, CONNECTION, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let origin = headers.get(&ORIGIN).and_then(|it| it.to_str().ok());
        if origin.is_some_and(|origin| self.access.is_own(origin)) {
            // To the API it would be foreign.
            headers.remove(ORIGIN);
        }
        let call = self
            .client
            .request(method, format!("http://127.0.0.1:{port}{asked}"))
            .headers(headers)
            .body(Body::wrap(request.into_body()));
        let answer = call.send().await.map_err(|_| {
            let why = "the API does not answer: lab start api".to_owned();
            (StatusCode::BAD_GATEWAY, why)
        })?;
        let mut answer = Response::from(answer);
        for name in [CONNECTION, TRANSFER_ENCODING] {
            answer.headers_mut().remove(name);
        }
        Ok(answer)
    }
}

fn word(condition: &Condition) -> &'static str {
    match condition {
        Condition::Running { .. } => "running",
        Condition::Paused { .. } => "paused",
        Condition::Dead => "dead",
    }
}

/// As the command line tells it: the cause, and the cure.
fn failed(error: SystemError) -> Refusal {
    let help = error.help().map(|help| format!("; {help}"));
    let why = format!("{error}{}", help.unwrap_or_default());
    (StatusCode::CONFLICT, why)
}

fn tell(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
