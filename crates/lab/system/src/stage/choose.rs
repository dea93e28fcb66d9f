//! Which stage a command acts on: the one `STAGE` names, else the one that is up, else the one that still holds data, else
//! the one that can be had.

use super::{Compose, Local, Stage, Swarm, port};
use crate::error::SystemError;
use crate::output::{Console, Tone};
use crate::settings::{Settings, StageKind};

impl Stage {
    /// The stage to bring up, unless another one is up on the same port. Says which.
    pub async fn to_bring_up(settings: &Settings, console: Console) -> Result<Self, SystemError> {
        let stage = Self::chosen_to_bring_up(settings, console).await?;
        stage.announce(console);
        stage.refuse_a_shared_port(settings, console).await?;
        Ok(stage)
    }

    /// The stage to bring up, without a word and whether or not it can be.
    pub async fn chosen_to_bring_up(
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        if let Some(kind) = settings.stage {
            return Self::of(kind, settings, console).await;
        }
        if let Some(stage) = Self::found(settings, console).await? {
            return Ok(stage);
        }
        let compose = Compose::find(settings, console).await.map(Self::Compose);
        Ok(compose.unwrap_or_else(|_| Self::local(settings, console)))
    }

    /// The stage that is up. Says which.
    pub async fn to_act_on(settings: &Settings, console: Console) -> Result<Self, SystemError> {
        let stage = match settings.stage {
            Some(kind) => Self::of(kind, settings, console).await?,
            None => Self::found(settings, console)
                .await?
                .ok_or(SystemError::NotUp)?,
        };
        stage.announce(console);
        Ok(stage)
    }

    /// Every stage there may be something of: `STAGE`'s, else all.
    pub async fn to_take_down(
        settings: &Settings,
        console: Console,
    ) -> Result<Vec<Self>, SystemError> {
        if let Some(kind) = settings.stage {
            return Ok(vec![Self::of(kind, settings, console).await?]);
        }
        let mut all = vec![Self::local(settings, console)];
        all.extend(Compose::find(settings, console).await.map(Self::Compose));
        // Made only where somebody asked for it, and with root's rights.
        let swarm = Self::swarm(settings, console);
        if swarm.holds_data().await? {
            all.push(swarm);
        }
        Ok(all)
    }

    async fn of(
        kind: StageKind,
        settings: &Settings,
        console: Console,
    ) -> Result<Self, SystemError> {
        match kind {
            StageKind::Local => Ok(Self::local(settings, console)),
            StageKind::Compose => Ok(Self::Compose(Compose::find(settings, console).await?)),
            StageKind::Swarm => Ok(Self::swarm(settings, console)),
            StageKind::Virtual => Err(SystemError::NoServices),
        }
    }

    /// The stage's name, as it stands in `STAGE`.
    pub fn name(&self) -> &'static str {
        let kind = match self {
            Self::Local(_) => StageKind::Local,
            Self::Compose(_) => StageKind::Compose,
            Self::Swarm(_) => StageKind::Swarm,
        };
        kind.name()
    }

    /// The stage that is up, whatever `STAGE` says; the local one if several are.
    pub async fn found_up(
        settings: &Settings,
        console: Console,
    ) -> Result<Option<Self>, SystemError> {
        Self::first(settings, console, Self::is_up).await
    }

    /// The stage that is up, else the one that still holds data, whatever `STAGE` says; the local one if several do.
    pub async fn found(settings: &Settings, console: Console) -> Result<Option<Self>, SystemError> {
        match Self::found_up(settings, console).await? {
            None => Self::first(settings, console, Self::holds_data).await,
            found => Ok(found),
        }
    }

    /// The first that is so of all there are. Docker comes last: asking it takes a second.
    async fn first(
        settings: &Settings,
        console: Console,
        is_so: impl AsyncFn(&Self) -> Result<bool, SystemError>,
    ) -> Result<Option<Self>, SystemError> {
        let local = Self::local(settings, console);
        for stage in [local, Self::swarm(settings, console)] {
            if is_so(&stage).await? {
                return Ok(Some(stage));
            }
        }
        let Ok(compose) = Compose::find(settings, console).await else {
            return Ok(None);
        };
        let compose = Self::Compose(compose);
        Ok(is_so(&compose).await?.then_some(compose))
    }

    fn local(settings: &Settings, console: Console) -> Self {
        Self::Local(Local::new(settings, settings.folder(), console))
    }

    fn swarm(settings: &Settings, console: Console) -> Self {
        Self::Swarm(Swarm::new(settings, console))
    }

    fn announce(&self, console: Console) {
        console.say(console.paint(Tone::Faint, format_args!("stage: {}", self.name())));
    }

    async fn refuse_a_shared_port(
        &self,
        settings: &Settings,
        console: Console,
    ) -> Result<(), SystemError> {
        let port = settings.ports.api;
        // Only when somebody is on the port is it asked who.
        if port::check_free(port, "API_PORT").is_ok() {
            return Ok(());
        }
        match Self::found_up(settings, console).await? {
            Some(other) if other.name() != self.name() && other.api_port().await? == port => {
                let other = other.name();
                Err(SystemError::OtherStage { other, port })
            }
            _ => Ok(()),
        }
    }
}
