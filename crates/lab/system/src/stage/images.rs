//! Our own images, built in one way for whatever runs them.

use std::path::Path;
use std::process::Stdio;

use super::program;
use crate::error::SystemError;
use crate::output::Console;

const BASE_IMAGES: &str = "deploy/base-images.sh";
const DOCKERFILE: &str = "deploy/Dockerfile";
/// Measured on two cores: from an empty engine to healthy containers.
const FIRST_BUILD: &str = "the images have to be built first, which takes ten minutes or so on two cores and a few hundred MB from the
network; on local processes all is up within a second of the build: STAGE=local make up";

/// An image, by the name that the files of the stages ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Image {
    pub(super) name: &'static str,
    file: &'static str,
    /// Which part of the file, and the folder that it is built from.
    of: &'static [&'static str],
}

pub(super) const API: Image = built("holdfast/api:latest", &["--target", "api", "."]);
pub(super) const WORKER: Image = built("holdfast/worker:latest", &["--target", "worker", "."]);
/// The link that breaks on command.
pub(super) const FAULT_PROXY: Image = built(
    "holdfast/fault-proxy:latest",
    &["--target", "fault-proxy", "."],
);
pub(super) const PATRONI: Image = Image {
    name: "holdfast/patroni:latest",
    file: "deploy/swarm/Dockerfile",
    of: &["deploy/swarm"],
};

/// Of one of our programs.
const fn built(name: &'static str, of: &'static [&'static str]) -> Image {
    let file = DOCKERFILE;
    Image { name, file, of }
}

/// Builds what is not there as it should be, by this machine's own engine; its talk goes to stderr, the first time all of it.
/// The base images, as variables for the files of a stage.
pub(super) async fn build(
    images: &[Image],
    root: &Path,
    console: Console,
) -> Result<Vec<(String, String)>, SystemError> {
    let look = ["image", "inspect", "--format", "{{.Id}}", API.name];
    let is_there = program::printed(program::command("docker", look)).await;
    console.say(match is_there {
        Ok(_) => {
            "  images: what changed since they were built is built anew, in seconds or minutes"
        }
        Err(_) => FIRST_BUILD,
    });
    let mut script = program::command(root.join(BASE_IMAGES), [""; 0]);
    script.current_dir(root).stderr(Stdio::inherit());
    let bases = bases(&program::printed(script).await?);
    let arguments = bases.iter().map(|(name, base)| format!("{name}={base}"));
    let arguments: Vec<String> = arguments.collect();
    for image in images {
        let mut words = vec!["build", "--tag", image.name, "--file", image.file];
        words.extend(is_there.is_ok().then_some("--quiet"));
        words.extend(arguments.iter().flat_map(|it| ["--build-arg", it]));
        // Without a value: what cargo goes by outside of the images, it goes by in them.
        words.extend(["--build-arg", "CARGO_PROFILE_RELEASE_OPT_LEVEL"]);
        words.extend(image.of);
        let mut build = program::command("docker", words);
        build.current_dir(root);
        program::shown(build).await?;
    }
    Ok(bases)
}

/// The `KEY=value` lines of the script.
fn bases(printed: &str) -> Vec<(String, String)> {
    let pairs = printed.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, base)| (name.trim().to_owned(), base.trim().to_owned()));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_lines_become_variables() {
        let images = bases("RUST_IMAGE=rust:1.95\n\nPOSTGRES_IMAGE=holdfast/standin-postgres:17\n");
        assert_eq!(images[0], ("RUST_IMAGE".to_owned(), "rust:1.95".to_owned()));
        assert_eq!(images[1].1, "holdfast/standin-postgres:17");
        assert_eq!(images.len(), 2);
    }
}
