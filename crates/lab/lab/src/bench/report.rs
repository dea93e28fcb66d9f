//! The table of medians, and one line for each ratio that is asked for.

use holdfast_system::error::SystemError;

use super::contender::Contender;
use super::ratio::Ratio;
use super::stage::{JOURNAL_ONE_EACH, JOURNAL_SHARED, Stage};
use crate::error::LabError;
use crate::figures::Figures;
use crate::output::{Console, Tone};
use crate::stage::AdminClient;

/// Records of one accepted request: that it was received, and its result.
const RECORDS: f64 = 2.0;

/// A figure of a measurement.
type Figure = fn(&Figures) -> f64;

/// What is set against what, and under which name.
const RATIOS: [(&str, Figure, &str, &str); 10] = [
    ("resilient/naive", rate, "resilient", "naive"),
    ("resilient/pgbench", rate, "resilient", "pgbench"),
    (
        "resilient_256/naive_256",
        rate,
        "resilient_256",
        "naive_256",
    ),
    (
        "resilient_256/pgbench_256",
        rate,
        "resilient_256",
        "pgbench_256",
    ),
    ("p50_1/naive_p50_1", p50, "resilient_1", "naive_1"),
    ("observers on/off", rate, "observers_on", "observers_off"),
    ("journal_only/naive", rate, "journal_only", "naive"),
    (
        "journal shared/one-each",
        rate,
        "journal_only",
        "journal_one_each",
    ),
    ("worker_dead/naive", rate, "worker_dead", "naive"),
    (
        "worker_dead_half/worker_dead",
        rate,
        "worker_dead_half",
        "worker_dead",
    ),
];

/// Prints all of it.
pub(super) async fn print(
    contenders: &[Contender],
    stage: &Stage,
    console: Console,
) -> Result<(), LabError> {
    let head = format!(
        "\n{:<18}{:>12}{:>10}{:>10}",
        "median", "requests/s", "p50 ms", "p99 ms"
    );
    console.print(console.paint(Tone::Strong, head));
    for contender in contenders {
        console.print(format_args!(
            "{:<18}{:>12.0}{:>10.2}{:>10.2}",
            contender.name,
            contender.median(rate),
            contender.median(p50),
            contender.median(p99),
        ));
    }
    let shared = requests_per_fsync(stage.system.client(JOURNAL_SHARED)?).await?;
    let one_each = requests_per_fsync(stage.system.client(JOURNAL_ONE_EACH)?).await?;
    console.print(format_args!(
        "\nrequests per fsync of the journal: {shared:.1} shared, {one_each:.1} with one for each record\n"
    ));
    for (name, figure, one, other) in RATIOS {
        let values = of(contenders, one, figure).zip(of(contenders, other, figure));
        let ratios: Vec<f64> = values.map(|(one, other)| one / other).collect();
        console.print(format_args!("ratio {name} {}", Ratio::over(&ratios)));
    }
    let p99: Vec<f64> = of(contenders, "worker_dead_half", p99).collect();
    console.print(format_args!("p99_worker_dead_ms {}", Ratio::over(&p99)));
    Ok(())
}

/// A figure of the contender `name`, round by round.
fn of<'a>(
    contenders: &'a [Contender],
    name: &'a str,
    figure: Figure,
) -> impl Iterator<Item = f64> + 'a {
    let named = contenders.iter().filter(move |it| it.name == name);
    named.flat_map(move |it| it.measured.iter().map(figure))
}

fn rate(figures: &Figures) -> f64 {
    figures.per_second
}

fn p50(figures: &Figures) -> f64 {
    figures.p50_ms
}

fn p99(figures: &Figures) -> f64 {
    figures.p99_ms
}

/// As the API counts them.
async fn requests_per_fsync(probe: &AdminClient) -> Result<f64, LabError> {
    let appended = probe.metric::<f64>("holdfast_journal_appended_total").await;
    let commits = probe.metric::<f64>("holdfast_journal_commits_total").await;
    let counted = appended.zip(commits);
    let (appended, commits) = counted.ok_or_else(|| SystemError::Api {
        url: format!("{}/metrics", probe.base()),
        problem: "it does not count what the journal does".to_owned(),
    })?;
    Ok(appended / RECORDS / commits)
}
