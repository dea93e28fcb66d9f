//! The images of the stack, built by the host's own engine.

use std::path::Path;
use std::process::Stdio;

use crate::error::SystemError;
use crate::output::Console;
use crate::stage::program;

/// As the stack's file has them.
pub(super) const NAMES: [&str; 3] = [API, WORKER, PATRONI];

const API: &str = "holdfast/api:latest";
const WORKER: &str = "holdfast/worker:latest";
const PATRONI: &str = "holdfast/patroni:latest";
const BASE_IMAGES: &str = "deploy/base-images.sh";
const FIRST_BUILD: &str =
    "the images have to be built first, which takes ten minutes or so on two cores";

/// Builds what is not there as it should be; the engine's talk goes to stderr, the first time all of it.
///
/// # Errors
/// When an image cannot be had.
pub(super) async fn build(root: &Path, console: Console) -> Result<(), SystemError> {
    let look = ["image", "inspect", "--format", "{{.Id}}", API];
    let built = program::printed(program::command("docker", look)).await;
    if built.is_err() {
        console.say(FIRST_BUILD);
    }
    let mut script = program::command(root.join(BASE_IMAGES), [""; 0]);
    script.current_dir(root).stderr(Stdio::inherit());
    let bases = program::printed(script).await?;
    let (services, patroni) = ("deploy/Dockerfile", "deploy/swarm/Dockerfile");
    for (image, file, of) in [
        (API, services, &["--target", "api", "."][..]),
        (WORKER, services, &["--target", "worker", "."]),
        (PATRONI, patroni, &["deploy/swarm"]),
    ] {
        let mut words = vec!["build", "--tag", image, "--file", file];
        words.extend(built.is_ok().then_some("--quiet"));
        words.extend(bases.lines().flat_map(|line| ["--build-arg", line.trim()]));
        words.extend(of);
        let mut build = program::command("docker", words);
        build.current_dir(root);
        program::shown(build).await?;
    }
    Ok(())
}
