//! The scene of one trial: worker, Postgres and API, fresh, where nobody else is, with a breakable wire between them where
//! the experiment needs one. It ends with its trial; should the lab die, its guard ends it.

mod arrivals;
mod compose;
mod local;
mod making;
mod swarm;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::SystemError;
use crate::look::Look;
use crate::output::Console;
use crate::plan::Target;
use crate::settings::{Settings, StageKind};
use crate::stage::{NodeAction, Probe, Service};
use crate::trial::Sight;
use crate::wire::Wire;

pub use arrivals::Arrivals;
use compose::ComposeScene;
pub use compose::Containers;
pub use compose::end_stale;
use local::{LocalScene, part};
pub use making::Making;
pub use swarm::end_stale as end_stale_nodes;
use swarm::{SwarmGround, SwarmScene};

/// Where scenes are raised.
#[derive(Debug)]
pub enum Ground {
    /// Processes of this machine.
    Local,
    /// Containers.
    Compose(Containers),
    /// Machines.
    Swarm(SwarmGround),
}

impl Ground {
    /// Of this stage; for containers, their images are built now.
    pub async fn prepare(
        stage: StageKind,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        Ok(match stage {
            StageKind::Local => Self::Local,
            StageKind::Compose => Self::Compose(Containers::prepare(settings, console).await?),
            StageKind::Swarm => Self::Swarm(SwarmGround::prepare(settings, console).await?),
            StageKind::Virtual => return Err(SystemError::NoServices),
        })
    }

    /// Takes down what is left of a scene that did not come up.
    pub async fn clear(&self) -> Result<(), SystemError> {
        match self {
            // It ended with the value it would have become.
            Self::Local => Ok(()),
            Self::Compose(containers) => containers.clear().await,
            // Interrupted, all of it ends with the nodes.
            Self::Swarm(_) => Ok(()),
        }
    }

    /// Ends what outlives its scenes.
    pub async fn leave(&self) -> Result<(), SystemError> {
        match self {
            Self::Local | Self::Compose(_) => Ok(()),
            Self::Swarm(ground) => ground.leave().await,
        }
    }
}

/// All of it, up and ready.
#[derive(Debug)]
pub struct Scene {
    place: Place,
    api: Probe,
    workers: Vec<Probe>,
    database_port: u16,
    /// Our own questions to the worker on the wire, which counts them as requests.
    asked: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Place {
    Local(Box<LocalScene>),
    Compose(Box<ComposeScene>),
    Swarm(Box<SwarmScene>),
}

impl Scene {
    /// Starts everything and waits until it is ready.
    pub async fn raise(
        ground: &Ground,
        making: &Making,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        let quiet = console.quietly();
        let (ports, place) = match ground {
            Ground::Local => {
                let scene = LocalScene::raise(making, settings, quiet).await?;
                (scene.ports, Place::Local(Box::new(scene)))
            }
            Ground::Compose(containers) => {
                let scene = ComposeScene::raise(containers, making).await?;
                (scene.ports, Place::Compose(Box::new(scene)))
            }
            Ground::Swarm(ground) => {
                let scene = SwarmScene::raise(ground, making).await?;
                (scene.ports(), Place::Swarm(Box::new(scene)))
            }
        };
        Ok(Self {
            api: Probe::new(ports.api),
            workers: match &place {
                Place::Swarm(scene) => scene.workers(),
                Place::Local(scene) => scene.system.workers()?,
                Place::Compose(_) => vec![Probe::new(ports.worker)],
            },
            database_port: ports.db,
            asked: Arc::default(),
            place,
        })
    }

    /// The questions to the API.
    pub fn api(&self) -> Probe {
        self.api.clone()
    }

    /// Where Postgres itself, past any wire, can be asked.
    pub fn database_port(&self) -> u16 {
        self.database_port
    }

    /// The wire before a dependency; none: there is none.
    pub fn wire(&self, target: Target) -> Option<&Arc<Wire>> {
        match &self.place {
            Place::Local(scene) => scene.system.wire(target),
            Place::Compose(scene) => scene.wire(target),
            Place::Swarm(_) => None,
        }
    }

    /// Looks at a service as the API would reach it.
    pub async fn look(&self, target: Target, patience: Duration) -> Look {
        self.look_at(target, true, patience).await
    }

    /// Looks at a service itself, past any wire.
    pub async fn look_past_the_wire(&self, target: Target, patience: Duration) -> Look {
        self.look_at(target, false, patience).await
    }

    async fn look_at(&self, target: Target, on_the_wire: bool, patience: Duration) -> Look {
        let look = match &self.place {
            Place::Local(scene) => scene.look(target, on_the_wire, patience).await,
            Place::Compose(scene) => scene.look(target, on_the_wire, patience).await,
            Place::Swarm(scene) => scene.look(target, patience).await,
        };
        if target == Target::Worker && on_the_wire && look.has_asked() {
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        look
    }

    /// What counts the requests that arrive at the worker, whoever else holds the scene.
    pub fn arrivals(&self) -> Arrivals {
        let wire = self.wire(Target::Worker).cloned();
        Arrivals::new(wire, Arc::clone(&self.asked), self.workers.clone())
    }

    /// Kills a service (SIGKILL).
    pub async fn kill(&self, target: Target) -> Result<(), SystemError> {
        match &self.place {
            Place::Local(scene) => scene.system.kill(part(target)).await,
            Place::Compose(scene) => scene.compose.kill(part(target).service()).await,
            Place::Swarm(scene) => scene.kill(part(target).service()).await,
        }
    }

    /// Starts a service and waits until it is ready.
    pub async fn start(&self, target: Target) -> Result<(), SystemError> {
        match &self.place {
            Place::Local(scene) => scene.system.start(part(target)).await,
            Place::Compose(scene) => scene.compose.start_now(part(target).service()).await,
            Place::Swarm(scene) => scene.start(part(target).service()).await,
        }
    }

    /// Stops a service with its port open.
    pub async fn pause(&self, target: Target) -> Result<(), SystemError> {
        match &self.place {
            Place::Local(scene) => scene.system.pause(part(target)).await,
            Place::Compose(scene) => scene.compose.pause(part(target).service()).await,
            Place::Swarm(_) => Err(SystemError::NoPauseOnSwarm),
        }
    }

    /// Lets a paused service go on.
    pub async fn resume(&self, target: Target) -> Result<(), SystemError> {
        match &self.place {
            Place::Local(scene) => {
                scene.system.resume(part(target)).await;
                Ok(())
            }
            Place::Compose(scene) => scene.compose.resume(part(target).service()).await,
            Place::Swarm(_) => Err(SystemError::NoPauseOnSwarm),
        }
    }

    /// Does this to the node that is hurt: the one that Postgres' primary was on when it all began.
    pub async fn act_on_node(&self, action: NodeAction) -> Result<(), SystemError> {
        match &self.place {
            Place::Swarm(scene) => scene.act_on_node(action).await,
            Place::Local(_) | Place::Compose(_) => Err(SystemError::NotSeveral),
        }
    }

    /// Puts another worker in the place of the one there is, under the same name, at another address. From where to where.
    pub async fn replace_worker(&self) -> Result<(String, String), SystemError> {
        match &self.place {
            // The schema lets no such experiment onto this stage.
            Place::Local(_) | Place::Swarm(_) => {
                let problem = "a process cannot be replaced: its name is its address";
                Err(SystemError::CannotBreak(problem))
            }
            Place::Compose(scene) => scene.compose.replace(Service::Worker).await,
        }
    }

    /// What the API has logged so far.
    pub async fn api_log(&self) -> Result<String, SystemError> {
        match &self.place {
            Place::Local(scene) => scene.api_log(),
            Place::Compose(scene) => scene.compose.printed(Service::Api).await,
            Place::Swarm(scene) => scene.printed(Service::Api).await,
        }
    }

    /// How a contender ends when it is asked to; none: the API is ours.
    pub async fn stop_contender(&self) -> Option<Sight> {
        match &self.place {
            Place::Local(scene) => scene.system.stop_contender().await,
            Place::Compose(_) | Place::Swarm(_) => None,
        }
    }

    /// Where logs and journal stay when all is over.
    pub async fn keep(&mut self) -> Result<PathBuf, SystemError> {
        match &mut self.place {
            Place::Local(scene) => Ok(scene.keep().await.to_owned()),
            Place::Compose(scene) => scene.keep().await,
            Place::Swarm(scene) => scene.keep().await,
        }
    }

    /// Ends all of it; what is still there afterwards.
    pub async fn lower(self) -> Vec<String> {
        match self.place {
            Place::Local(scene) => scene.lower().await,
            Place::Compose(scene) => scene.lower().await,
            Place::Swarm(scene) => scene.lower().await,
        }
    }
}
