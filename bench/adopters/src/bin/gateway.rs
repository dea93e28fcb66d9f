//! A gateway on tonic, which asks for a service's health each time: `gateway http://127.0.0.1:9000`
use holdfast_policy::{Call, Class, Classify, Policy, PolicyConfig};
use tonic::transport::{Channel, Endpoint, Server, server::TcpIncoming};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::{HealthCheckRequest as Ask, HealthCheckResponse as Answer};
use tonic_health::pb::{health_client::HealthClient, health_server as server};

type Outcome = Result<Response<Answer>, Status>;
struct Gateway<C>(Policy<C>, HealthClient<Channel>);
fn classify(outcome: &Outcome) -> Class {
    match outcome.as_ref().map_err(Status::code) {
        Ok(_) => Class::success(),
        Err(Code::ResourceExhausted) => Class::throttled(),
        Err(Code::Unavailable | Code::Internal) => Class::failure().retry_if_idempotent(),
        Err(_) => Class::neutral(),
    }
}
#[tonic::async_trait]
impl<C: Classify<Response<Answer>, Status>> server::Health for Gateway<C> {
    type WatchStream = tokio_stream::Pending<Result<Answer, Status>>;
    async fn watch(&self, _: Request<Ask>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("ask again"))
    }
    async fn check(&self, request: Request<Ask>) -> Outcome {
        let call = Call::new(request.into_inner()).idempotent(true);
        let ask = async |request: Ask| self.1.clone().check(request).await;
        let answer = self.0.call(call, ask).await;
        answer.map_err(|error| Status::unavailable(error.to_string()))
    }
}
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let behind = Endpoint::new(std::env::args().nth(1).ok_or("of whom?")?)?.connect_lazy();
    let policy = Policy::builder("behind", PolicyConfig::database_statement()).classify(classify);
    let gateway = server::HealthServer::new(Gateway(policy.build()?, HealthClient::new(behind)));
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into())?;
    println!("{}", incoming.local_addr()?);
    let server = Server::builder().add_service(gateway);
    Ok(server.serve_with_incoming(incoming).await?)
}
