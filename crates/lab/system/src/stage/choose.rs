//! Which stage a command acts on: the one `STAGE` names, else the one that is up, else the one that still holds data, else
//! the one that can be had.

use super::{Compose, Local, Stage, Swarm, port};
use crate::error::SystemError;
use crate::output::{Console, Tone};
use crate::settings::{Settings, StageKind};

impl Stage {
    /// The stage to bring up. Says which.
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
        Ok(match settings.stage {
            Some(kind) => Self::of(kind, settings, console).await?,
            None => match Self::found(settings, console).await? {
                Some(stage) => stage,
                None => match Compose::find(settings, console).await {
                    Ok(compose) => Self::Compose(compose),
                    Err(_) => Self::local(settings, console),
                },
            },
        })
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
        Ok(match settings.stage {
            Some(kind) => vec![Self::of(kind, settings, console).await?],
            None => {
                let compose = Compose::find(settings, console)
                    .await
                    .ok()
                    .map(Self::Compose);
                // Made only where somebody asked for it, and with root's rights.
                let swarm = Self::swarm(settings, console);
                let swarm = swarm.holds_data().await?.then_some(swarm);
                std::iter::once(Self::local(settings, console))
                    .chain(compose)
                    .chain(swarm)
                    .collect()
            }
        })
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
        match self {
            Self::Local(_) => StageKind::Local.name(),
            Self::Compose(_) => StageKind::Compose.name(),
            Self::Swarm(_) => StageKind::Swarm.name(),
        }
    }

    /// The stage that is up, whatever `STAGE` says; the local one if several are.
    pub async fn found_up(
        settings: &Settings,
        console: Console,
    ) -> Result<Option<Self>, SystemError> {
        let local = Local::new(settings, settings.folder(), console);
        if local.is_up()? {
            return Ok(Some(Self::Local(local)));
        }
        let swarm = Swarm::new(settings, console);
        if swarm.is_up().await? {
            return Ok(Some(Self::Swarm(swarm)));
        }
        match Compose::find(settings, console).await {
            Ok(compose) if compose.is_up().await? => Ok(Some(Self::Compose(compose))),
            _ => Ok(None),
        }
    }

    /// The stage that is up, else the one that still holds data, whatever `STAGE` says; the local one if several do.
    pub async fn found(settings: &Settings, console: Console) -> Result<Option<Self>, SystemError> {
        if let Some(stage) = Self::found_up(settings, console).await? {
            return Ok(Some(stage));
        }
        for stage in [
            Self::local(settings, console),
            Self::swarm(settings, console),
        ] {
            if stage.holds_data().await? {
                return Ok(Some(stage));
            }
        }
        match Compose::find(settings, console).await {
            Ok(compose) if compose.holds_data().await? => Ok(Some(Self::Compose(compose))),
            _ => Ok(None),
        }
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
        // Asking Docker takes a second: only when somebody is on the port.
        if port::check_free(settings.ports.api, "API_PORT").is_ok() {
            return Ok(());
        }
        match Self::found_up(settings, console).await? {
            Some(other)
                if other.name() != self.name() && other.api_port().await? == settings.ports.api =>
            {
                Err(SystemError::OtherStage {
                    other: other.name(),
                    port: settings.ports.api,
                })
            }
            _ => Ok(()),
        }
    }
}
