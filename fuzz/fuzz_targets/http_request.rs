//! A request to an API that has neither worker nor Postgres: first line, headers and body come from outside; the framing is
//! ours, so that none waits for more. Reaches keys, `Priority`, `Prefer`, hosts, origins, ids, queries, trace context and JSON
//! by the way that clients take. Each answer must be one of the contract's.

#![no_main]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use holdfast_api::{Application, Settings};
use holdfast_ops::Environment;
use holdfast_wire::Problem;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

const TOKEN: &str = "the-operators-own";
/// Far beyond the bound of these policies.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A client that asks to wait is not waited for.
const PATIENCE: Duration = Duration::from_millis(100);
const POLICIES: &str = "
worker.retry.max_attempts = 1
journal.max_bytes = 33554432
";

static API: LazyLock<(Runtime, SocketAddr)> = LazyLock::new(start);
static CONNECTION: Mutex<Option<TcpStream>> = Mutex::new(None);

fn start() -> (Runtime, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    // In memory where that can be had: each promise is synced.
    let memory = std::path::Path::new("/dev/shm");
    let place = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    // It is as long as the process; what is left is a few MB.
    let folder = tempfile::tempdir_in(place).unwrap().keep();
    let file = folder.join("policies.toml");
    std::fs::write(&file, POLICIES).unwrap();
    let environment = Environment::from([
        ("HOLDFAST_WORKER_URL", "http://127.0.0.1:1"),
        ("DATABASE_URL", "postgres://u:p@127.0.0.1:1/d"),
        ("HOLDFAST_POLICIES", file.to_str().unwrap()),
        (
            "HOLDFAST_JOURNAL_DIR",
            folder.join("journal").to_str().unwrap(),
        ),
        ("HOLDFAST_ADMIN_TOKEN", TOKEN),
    ]);
    let settings = Settings::read(&environment, SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let port = runtime.block_on(async {
        let application = Application::build(settings).unwrap();
        let port = application.port();
        tokio::spawn(application.run_until_stopped(std::future::pending()));
        port
    });
    (runtime, SocketAddr::from(([127, 0, 0, 1], port)))
}

struct Request {
    bytes: Vec<u8>,
    path: Vec<u8>,
    is_head: bool,
    may_wait: bool,
}

/// `METHOD PATH`, headers, an empty line, a body.
fn request(data: &[u8]) -> Option<Request> {
    let end = data
        .windows(2)
        .position(|it| it == b"\n\n")
        .unwrap_or(data.len());
    let (head, body) = data.split_at(end);
    let body = body.get(2..).unwrap_or_default();
    let mut lines = head.split(|it| *it == b'\n');
    let mut first = lines.next()?.splitn(2, |it| *it == b' ');
    let (method, path) = (first.next()?, first.next()?);
    let mut bytes = [method, b" ", path, b" HTTP/1.1\r\n"].concat();
    let (mut may_wait, mut names_host) = (false, false);
    for line in lines {
        let name = line.split(|it| *it == b':').next()?.to_ascii_lowercase();
        let framing: [&[u8]; 5] = [
            b"content-length",
            b"transfer-encoding",
            b"connection",
            b"upgrade",
            b"expect",
        ];
        let trimmed = name.trim_ascii();
        if framing.contains(&trimmed) {
            continue;
        }
        may_wait |= trimmed == b"prefer";
        names_host |= trimmed == b"host";
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    if !names_host {
        bytes.extend_from_slice(b"host: localhost\r\n");
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    let (path, is_head) = (path.to_owned(), method == b"HEAD");
    Some(Request {
        bytes,
        path,
        is_head,
        may_wait,
    })
}

/// Head and body; none: the connection ended.
fn answer(stream: &mut TcpStream, request: &Request) -> std::io::Result<Option<(String, Vec<u8>)>> {
    stream.write_all(&request.bytes)?;
    let (mut read, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    let end = loop {
        if let Some(end) = read.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            some => read.extend_from_slice(&chunk[..some]),
        }
    };
    let head = String::from_utf8(read[..end].to_vec()).expect("a head that is no text");
    let length = header(&head, "content-length").and_then(|it| it.parse::<usize>().ok());
    let length = if request.is_head {
        0
    } else {
        length.unwrap_or(0)
    };
    while read.len() < end + length {
        match stream.read(&mut chunk)? {
            0 => panic!("an answer that ends half-way: {head}"),
            some => read.extend_from_slice(&chunk[..some]),
        }
    }
    Ok(Some((head, read[end..end + length].to_vec())))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(it, _)| it.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn check(request: &Request, head: &str, body: &[u8]) {
    let status: u16 = head[9..12].parse().expect("no status");
    let told = String::from_utf8_lossy(&request.bytes);
    let id = header(head, "x-request-id").expect("an answer without an id");
    if status == 500 && request.path.starts_with(b"/naive/process") {
        return;
    }
    assert!(status < 500 || status == 503, "{told}\n{head}");
    assert_eq!(
        header(head, "cache-control"),
        Some("no-store"),
        "{told}\n{head}"
    );
    if status >= 400 && !request.is_head {
        assert_eq!(
            header(head, "content-type"),
            Some("application/problem+json"),
            "{told}"
        );
        let problem: Problem = serde_json::from_slice(body).expect("a problem that is none");
        assert_eq!(
            (problem.status, problem.request_id.to_string().as_str()),
            (status, id)
        );
    }
    if matches!(status, 202 | 429 | 503) {
        let seconds = header(head, "retry-after").map(str::parse::<u64>);
        assert!(matches!(seconds, Some(Ok(1..))), "{told}\n{head}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(request) = request(data) else { return };
    let mut kept = CONNECTION.lock().unwrap();
    // Once more where the server has closed the one that was kept.
    for fresh in [false, true] {
        let mut stream = match kept.take() {
            Some(stream) if !fresh => stream,
            _ => TcpStream::connect(API.1).unwrap(),
        };
        let patience = if request.may_wait {
            PATIENCE
        } else {
            ANSWER_WITHIN
        };
        stream.set_read_timeout(Some(patience)).unwrap();
        match answer(&mut stream, &request) {
            Ok(Some((head, body))) => {
                check(&request, &head, &body);
                let closes = header(&head, "connection") == Some("close");
                let streams = header(&head, "content-length").is_none();
                if !closes && !streams && !request.is_head {
                    *kept = Some(stream);
                }
                return;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert!(
                    request.may_wait,
                    "no answer: {}",
                    String::from_utf8_lossy(&request.bytes)
                );
                return;
            }
            // A connection that ends without a word: of a request that is none.
            Ok(None) | Err(_) => {}
        }
    }
});
