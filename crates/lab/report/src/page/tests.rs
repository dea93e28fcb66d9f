use std::fs;

use super::*;
use crate::sample;
use crate::words::tied;

fn page(run: &sample::Run) -> String {
    run.with_report(|report| html(report).unwrap())
}

#[test]
fn verdict_question_and_first_figures_stand_before_the_plots_and_the_checks_after() {
    let page = page(&sample::Run::new());
    let places = [
        ">PASSED<",
        "The question",
        "What was predicted",
        "answered or promised",
        "Latency of every call",
        "What had to be seen",
        "This run",
    ]
    .map(|part| page.find(part).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn every_check_has_a_row_and_a_predicted_fall_reads_as_predicted() {
    let mut run = sample::Run::new();
    let whole = page(&run);
    for check in &run.verdict.checks {
        assert!(
            whole.contains(&tied(&check.expected)) && whole.contains(&tied(&check.seen)),
            "{}",
            check.name
        );
    }
    assert_eq!(
        whole.matches("class=\"mark").count(),
        run.verdict.checks.len()
    );
    assert_eq!(whole.matches("as predicted</td>").count(), 5);
    run.verdict.checks[13].holds = false;
    let broken = page(&run);
    assert!(broken.contains(">DEVIATED<") && broken.contains("1 of 15 checks"));
    let told = broken.find("What deviated").unwrap();
    assert!(told < broken.find("Latency of every call").unwrap());
    assert!(!whole.contains("What deviated"));
    assert_eq!(broken.matches("<tr class=\"violated\">").count(), 1);
    assert_eq!(broken.matches("violated</td>").count(), 1);
    run.verdict.checks[13].unknown = true;
    let unknown = page(&run);
    assert!(unknown.contains(">UNKNOWN<") && unknown.contains("1 of 15 checks could not be"));
    assert_eq!(unknown.matches("? unknown</td>").count(), 1);
}

#[test]
fn the_fault_windows_and_the_bound_are_drawn_in_the_panels_of_both_sides() {
    let page = page(&sample::Run::new());
    let panels: Vec<&str> = page.split("<svg class=\"plot\"").skip(1).collect();
    assert_eq!(panels.len(), 6);
    assert!(
        panels
            .iter()
            .all(|panel| panel.contains("var(--fault)") && panel.contains("1 worker kill"))
    );
    assert!(
        panels[..2]
            .iter()
            .all(|panel| panel.contains("bound 3.00\u{a0}s"))
    );
    let marks = |panel: &str, colour: &str| panel.matches(&format!("\"{colour}\"")).count();
    // A cross has two strokes.
    let given_up = |trial: &Trial| Summary::of(trial).unanswered * 2;
    let run = sample::Run::new();
    let crosses = |panel: &str| marks(panel.split("</svg>").next().unwrap(), "var(--ink)");
    assert!(
        crosses(panels[0]) >= given_up(&run.naive),
        "{}",
        crosses(panels[0])
    );
    assert!(crosses(panels[1]) < 5, "{}", crosses(panels[1]));
}

#[test]
fn hostile_words_stay_words() {
    let hostile = "<script>alert(1)</script>\"'&";
    let mut run = sample::Run::new();
    run.experiment.title = hostile.to_owned();
    run.experiment.question = hostile.to_owned();
    run.verdict.checks[0].seen = hostile.to_owned();
    run.facts.policies = hostile.to_owned();
    for trial in [&mut run.naive, &mut run.resilient] {
        trial.faults[0].name = hostile.to_owned();
        trial.faults[0].live.seen = hostile.to_owned();
    }
    let page = page(&run);
    assert!(!page.contains("<script"), "not escaped");
    assert!(page.contains("alert(1)"));
}

#[test]
fn it_loads_nothing_and_runs_nothing() {
    let page = page(&sample::Run::new());
    for forbidden in [
        "http:", "https:", "<script", "@import", "src=", "<link", "onclick",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    // What is left refers to the page itself.
    assert_eq!(
        page.matches("url(").count(),
        page.matches("url(#clip-").count()
    );
}

#[test]
fn two_thousand_calls_fit_into_a_file_of_a_megabyte_and_a_half() {
    let run = sample::Run::new();
    let calls = run.naive.calls.len() + run.resilient.calls.len();
    let bytes = page(&run).len();
    assert!(calls > 1_900, "{calls}");
    assert!(bytes < 3 << 19, "{bytes}");
}

#[test]
fn a_run_that_saw_nothing_still_has_a_page() {
    let mut run = sample::Run::new();
    for trial in [&mut run.naive, &mut run.resilient] {
        trial.calls.clear();
        trial.faults.clear();
        trial.samples.clear();
        trial.transitions.clear();
    }
    run.verdict.checks.clear();
    run.repeats.clear();
    let page = page(&run);
    assert!(page.contains(">DEVIATED<") && page.contains("Nothing was checked"));
    assert!(page.contains("this experiment can prove nothing"));
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn the_same_data_give_the_same_page_and_no_id_stands_twice() {
    let first = page(&sample::Run::new());
    assert_eq!(first, page(&sample::Run::new()));
    let mut ids: Vec<&str> = first
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert!(all > 10 && ids.len() == all, "{ids:?}");
}

#[test]
fn scaled_delays_are_said() {
    assert!(delays(Duration::from_millis(300)).contains("Delays scaled"));
    assert!(!delays(COURSE_DELAY).contains("scaled"));
}

/// The pages as files, to be looked at: `cargo test -p holdfast-report the_pages_as_files -- --nocapture`.
#[test]
fn the_pages_as_files_open_without_anything_beside_them() {
    // Beside the test's own program: a build's folder, and always the same.
    let folder = std::env::current_exe()
        .unwrap()
        .with_file_name("report-sample");
    fs::create_dir_all(&folder).unwrap();
    let runs = [
        sample::listed("worker-paused", 1),
        sample::listed("worker-paused", 2),
        sample::listed("api-killed", 1),
    ];
    let pages = [
        ("report.html", page(&sample::Run::new())),
        ("deviated.html", page(&sample::Run::deviated())),
        (
            "index.html",
            crate::index(&runs, &crate::Others::default()).unwrap(),
        ),
    ];
    println!("{}", folder.display());
    for (name, page) in pages {
        fs::write(folder.join(name), &page).unwrap();
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    }
}
