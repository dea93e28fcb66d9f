//! With real folders.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::fixtures::played;
use crate::settings::StageKind;
use crate::trial::Trial;
use crate::verdict::{Check, Verdict};

/// Results in a folder that is deleted with it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn results(&self) -> Results {
        Results::at(self.0.path().join("results"))
    }

    /// A run that began at this second.
    fn save(&self, name: &str, second: i64, trials: &[Trial]) -> Run {
        let about = about(name, second);
        let finished = Finished {
            about: &about,
            experiment: "title = \"Größe\"\n",
            policies: "[worker]\n",
            trials,
            verdict: &verdict(),
        };
        self.results().save(&finished).unwrap()
    }
}

fn about(name: &str, second: i64) -> About {
    let started = jiff::Timestamp::new(1_772_000_000 + second, 123_000_000).unwrap();
    About {
        name: name.to_owned(),
        seed: 7,
        stage: StageKind::Local,
        command: ["lab", "run", "a.toml"].map(str::to_owned).to_vec(),
        started,
        ended: started + jiff::SignedDuration::from_secs(60),
        lab: About::LAB.to_owned(),
        source: Source::Unknown("no git".to_owned()),
        machine: Machine::here(),
    }
}

fn verdict() -> Verdict {
    Verdict {
        checks: vec![Check::plain(
            None,
            "the fault was live",
            "yes",
            "yes".to_owned(),
            true,
        )],
    }
}

fn both() -> [Trial; 2] {
    let (naive, resilient) = played();
    [naive, resilient]
}

fn files(run: &Run) -> Vec<String> {
    let items = fs::read_dir(&run.folder).unwrap();
    let names = items.map(|item| item.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn what_is_saved_is_read_back_and_nothing_else_is_left() {
    let place = Place::new();
    let saved = place.save("killed", 0, &both());
    assert_eq!(saved.id(), "killed/2026-02-25T06-13-20Z-seed-7");
    assert_eq!(
        files(&saved),
        [
            "experiment.toml",
            "manifest.json",
            "naive.jsonl",
            "policies.toml",
            "resilient.jsonl",
            "run.json",
            "verdict.json"
        ]
    );
    let read = Run::open(&saved.folder).unwrap();
    assert_eq!(read.about, about("killed", 0));
    assert_eq!(read.verdict, verdict());
    assert_eq!(
        (&*read.experiment, &*read.policies),
        ("title = \"Größe\"\n", "[worker]\n")
    );
    assert_eq!(read.trials().unwrap(), both());
    let beside = fs::read_dir(saved.folder.parent().unwrap()).unwrap();
    assert_eq!(beside.count(), 1);
}

#[test]
fn several_trials_keep_the_order_in_which_they_were_played() {
    let place = Place::new();
    let [naive, resilient] = both();
    let trials = [naive.clone(), resilient.clone(), resilient, naive];
    let run = place.save("killed", 0, &trials);
    assert_eq!(run.trials().unwrap(), trials);
    let names = files(&run);
    for journal in [
        "naive-1.jsonl",
        "naive-2.jsonl",
        "resilient-1.jsonl",
        "resilient-2.jsonl",
    ] {
        assert!(names.iter().any(|name| name == journal), "{names:?}");
    }
}

#[test]
fn runs_of_one_second_and_seed_do_not_replace_each_other() {
    let place = Place::new();
    let runs = [(); 3].map(|()| place.save("killed", 0, &both()));
    let ids: Vec<String> = runs.iter().map(Run::id).collect();
    assert_eq!(ids[1], format!("{}.2", ids[0]));
    assert_eq!(ids[2], format!("{}.3", ids[0]));
    assert_eq!(place.results().all().runs.len(), 3);
    // The whole name of one is not how another's begins.
    assert_eq!(place.results().open(&ids[0]).unwrap(), runs[0]);
}

#[test]
fn a_changed_input_is_told_by_name_and_a_changed_journal_when_it_is_wanted() {
    let place = Place::new();
    for file in [EXPERIMENT, POLICIES, ABOUT, VERDICT] {
        let run = place.save("killed", 0, &both());
        let path = run.folder.join(file);
        let original = fs::read(&path).unwrap();
        fs::write(&path, [&original[..], b" "].concat()).unwrap();
        let error = Run::open(&run.folder).unwrap_err();
        assert!(matches!(&error, ResultsError::Changed(changed) if *changed == path));
        fs::write(&path, original).unwrap();
        assert_eq!(Run::open(&run.folder).unwrap(), run);
    }
    let run = place.save("killed", 0, &both());
    fs::write(run.folder.join("naive.jsonl"), "").unwrap();
    let error = Run::open(&run.folder).unwrap().trials().unwrap_err();
    assert!(
        error.to_string().contains("naive.jsonl was changed"),
        "{error}"
    );
}

#[test]
fn a_run_is_found_by_path_by_name_and_by_how_its_name_begins() {
    let place = Place::new();
    let (results, old) = (place.results(), place.save("killed", 0, &both()));
    let new = place.save("paused", 3_600, &both());
    let id = old.id();
    let (name, run) = id.split_once('/').unwrap();
    let path = old.folder.to_str().unwrap();
    for wanted in [path, &id, run, &run[..16], &format!("{name}/2026")] {
        assert_eq!(results.open(wanted).unwrap(), old, "{wanted}");
    }
    assert_eq!(results.open("2026-02-25T07").unwrap(), new);
    let error = results.open("2026").unwrap_err().to_string();
    assert!(error.contains(&id) && error.contains(&new.id()), "{error}");
    for unknown in ["", "nobody", "killed/2025", "/nowhere"] {
        let error = results.open(unknown).unwrap_err();
        assert!(matches!(error, ResultsError::Unknown { .. }), "{unknown}");
    }
}

#[test]
fn all_runs_are_listed_newest_first_and_what_is_broken_is_told() {
    let place = Place::new();
    let results = place.results();
    assert!(results.all().runs.is_empty());
    let old = place.save("killed", 0, &both());
    let new = place.save("asleep", 60, &both());
    let broken = place.save("killed", 30, &both());
    fs::remove_file(broken.folder.join(VERDICT)).unwrap();
    // Of a writer that was killed, and of the index: neither is a run.
    fs::create_dir(results.folder.join("killed/.partial-x")).unwrap();
    fs::write(results.folder.join("index.html"), "").unwrap();
    let listing = results.all();
    assert_eq!(listing.runs, [new, old]);
    let [error] = &listing.broken[..] else {
        panic!("{:?}", listing.broken)
    };
    assert!(error.to_string().contains(VERDICT), "{error}");
}

#[test]
fn a_page_is_added_and_made_anew_and_the_run_stays_whole() {
    let place = Place::new();
    let mut run = place.save("killed", 0, &both());
    for page in ["<p>first", "<p>second"] {
        run.put_page("report.html", page.as_bytes()).unwrap();
        let written = fs::read_to_string(run.folder.join("report.html")).unwrap();
        assert_eq!(written, page);
        assert_eq!(Run::open(&run.folder).unwrap(), run);
    }
    let manifest = fs::read_to_string(run.folder.join("manifest.json")).unwrap();
    assert!(manifest.contains(&digest(b"<p>second")));
    assert_eq!(run.trials().unwrap(), both());
    assert_eq!(files(&run).len(), 8);
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let place = Place::new();
    let here = about("killed", 0);
    let results = Results::at(place.0.path().join("file"));
    fs::write(&results.folder, "").unwrap();
    let finished = Finished {
        about: &here,
        experiment: "",
        policies: "",
        trials: &[],
        verdict: &verdict(),
    };
    let error = results.save(&finished).unwrap_err();
    assert!(error.to_string().contains("cannot make"), "{error}");
    let elsewhere = about("../elsewhere", 0);
    let finished = Finished {
        about: &elsewhere,
        ..finished
    };
    let error = place.results().save(&finished).unwrap_err();
    assert!(matches!(error, ResultsError::Name(_)));
    assert!(!place.0.path().join("results").exists());
}
