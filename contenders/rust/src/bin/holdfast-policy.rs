//! Guarded by holdfast-policy, with the times that the experiments are played with.

use std::error::Error;
use std::time::Duration;

use holdfast_contenders::{Dependencies, Guarded, Statement, Trouble, serve};
use holdfast_policy::{BreakerConfig, Call, Class, Policy, PolicyConfig};
use serde_json::Value;

type Judge<T> = fn(&Result<T, Trouble>) -> Class;

#[derive(Clone)]
struct Api {
    dependencies: Dependencies,
    database: Policy<Judge<()>>,
    worker: Policy<Judge<Value>>,
}

impl Guarded for Api {
    async fn record(&self, statement: Statement) -> Result<(), String> {
        let call = self.database.call(Call::new(statement), |statement| {
            self.dependencies.clone().record(statement)
        });
        call.await.map_err(|error| error.to_string())
    }

    async fn work(&self) -> Result<Value, String> {
        let call = self.worker.call(Call::new(()), |()| self.dependencies.clone().work());
        call.await.map_err(|error| error.to_string())
    }
}

fn judge<T>(outcome: &Result<T, Trouble>) -> Class {
    match outcome {
        Ok(_) => Class::success(),
        Err(Trouble::Unreached(_)) => Class::failure().retry_always(),
        Err(Trouble::Failed(_)) => Class::failure().retry_if_idempotent(),
    }
}

fn config(attempt_timeout: u64, deadline: u64) -> PolicyConfig {
    let ms = Duration::from_millis;
    PolicyConfig {
        attempt_timeout: Some(ms(attempt_timeout)),
        deadline: ms(deadline),
        // A row's id is chosen beforehand, and work done twice is work done.
        idempotent: true,
        breaker: Some(BreakerConfig {
            open_for: ms(500),
            max_open_for: ms(2000),
            ramp: ms(300),
            ..BreakerConfig::default()
        }),
        ..PolicyConfig::default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let database = Policy::builder("database", config(450, 1000));
    let worker = Policy::builder("worker", config(400, 1000));
    serve(Api {
        dependencies: Dependencies::from_environment()?,
        database: database.classify(judge as Judge<()>).build()?,
        worker: worker.classify(judge as Judge<Value>).build()?,
    })
    .await
}
