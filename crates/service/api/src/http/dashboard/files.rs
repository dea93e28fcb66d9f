//! The page's files, built into the binary, and the headers they are served with.
//!
//! The policy lets the page run its own files and talk to its own API, nothing else: no inline script or style, no other
//! host, no frame.

use actix_web::HttpResponse;
use actix_web::web::Path;
use holdfast_wire::ProblemCode;

use crate::http::problem::Failure;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What each file is served with, beside its type.
pub(in crate::http) const HEADERS: [(&str, &str); 3] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
];

/// The types of the page's assets.
pub(in crate::http) const KINDS: [&str; 3] = [CSS, SCRIPT, SVG];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! file {
    ($path:literal, $kind:ident) => {
        File {
            path: $path,
            kind: $kind,
            text: include_str!(concat!("../../../assets/", $path)),
        }
    };
}

const PAGE: File = file!("index.html", HTML);

const ASSETS: &[File] = &[
    file!("icon.svg", SVG),
    file!("topology.svg", SVG),
    file!("css/base.css", CSS),
    file!("css/system.css", CSS),
    file!("css/traffic.css", CSS),
    file!("js/acting.js", SCRIPT),
    file!("js/announcer.js", SCRIPT),
    file!("js/changes.js", SCRIPT),
    file!("js/commands.js", SCRIPT),
    file!("js/connection.js", SCRIPT),
    file!("js/dependency.js", SCRIPT),
    file!("js/facts.js", SCRIPT),
    file!("js/format.js", SCRIPT),
    file!("js/headline.js", SCRIPT),
    file!("js/lab.js", SCRIPT),
    file!("js/load.js", SCRIPT),
    file!("js/main.js", SCRIPT),
    file!("js/meter.js", SCRIPT),
    file!("js/operator.js", SCRIPT),
    file!("js/owed-list.js", SCRIPT),
    file!("js/owed.js", SCRIPT),
    file!("js/policies.js", SCRIPT),
    file!("js/stream.js", SCRIPT),
    file!("js/svg.js", SCRIPT),
    file!("js/topology.js", SCRIPT),
    file!("js/traffic/arrivals.js", SCRIPT),
    file!("js/traffic/call.js", SCRIPT),
    file!("js/traffic/chart.js", SCRIPT),
    file!("js/traffic/faults.js", SCRIPT),
    file!("js/traffic/lane.js", SCRIPT),
    file!("js/traffic/marks.js", SCRIPT),
    file!("js/traffic/rates.js", SCRIPT),
    file!("js/traffic/scale.js", SCRIPT),
    file!("js/traffic/shades.js", SCRIPT),
    file!("js/traffic/switch.js", SCRIPT),
    file!("js/traffic/tally.js", SCRIPT),
    file!("js/traffic/tip.js", SCRIPT),
    file!("js/words.js", SCRIPT),
];

pub(in crate::http) async fn page() -> HttpResponse {
    serve(&PAGE)
}

pub(in crate::http) async fn asset(path: Path<String>) -> Result<HttpResponse, Failure> {
    let found = ASSETS.iter().find(|file| file.path == *path);
    found.map(serve).ok_or_else(|| {
        let detail = "the page has no such file";
        Failure::new(ProblemCode::NotFound, detail)
    })
}

/// The paths under `/assets/`.
pub(in crate::http) fn paths() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|file| file.path)
}

fn serve(file: &File) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(file.kind);
    for header in HEADERS {
        response.insert_header(header);
    }
    response.body(file.text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let items = fs::read_dir(folder).unwrap();
        let paths = items.map(|item| item.unwrap().path());
        let within = |path: PathBuf| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        };
        paths.flat_map(within).collect()
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let mut there: Vec<String> = files(&folder)
            .iter()
            .map(|path| {
                path.strip_prefix(&folder)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        let served = ASSETS.iter().chain([&PAGE]);
        let mut served: Vec<String> = served.map(|file| file.path.to_owned()).collect();
        there.sort();
        served.sort();
        assert_eq!(served, there);
    }
}
