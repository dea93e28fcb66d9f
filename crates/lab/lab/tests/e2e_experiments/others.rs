//! Somebody else's API, and graded answers.

use crate::place::Place;
use crate::{said, short};

/// Refuses everything: honest, and promises nothing.
const REFUSER: &str = r#"
import http.server, os

class Refuser(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(503)
        self.end_headers()

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Refuser).serve_forever()
"#;

#[tokio::test]
#[ignore = "drives a system of its own: run by make e2e"]
async fn somebody_elses_api_is_judged_or_told_why_it_cannot_be() {
    let place = Place::new();
    let file = place.write("short.toml", &short("kill"));
    let refuser = place.write("refuser.py", REFUSER);
    for (command, told) in [
        (
            format!("exec python3 {}", refuser.display()),
            "steady state",
        ),
        ("echo no such luck; exit 3".to_owned(), "no such luck"),
    ] {
        let output = place.run(&["run", file.to_str().unwrap(), "--api", &command]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(told), "{}", said(&output));
        place.is_empty_soon().await;
    }
}

#[tokio::test]
#[ignore = "drives a system of its own: run by make e2e"]
async fn a_solution_is_graded_100_and_where_the_exercise_begins_fewer_than_60() {
    let place = Place::new();
    let exercise = "exercises/01-the-worker-hangs.toml";
    let points = |arguments: &[&str]| -> u32 {
        let output = place.run(&[&["grade", exercise], arguments].concat());
        let said = said(&output);
        let points = said.split(" of 100").next().unwrap();
        let digits = points.rsplit(|it: char| !it.is_ascii_digit()).next();
        digits.unwrap().parse().unwrap_or_else(|_| panic!("{said}"))
    };
    assert!(points(&[]) < 60);
    assert_eq!(points(&["--policies", "exercises/teacher/01.toml"]), 100);
    place.is_empty_soon().await;
}
