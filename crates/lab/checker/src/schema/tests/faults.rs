//! `[[fault]]`.

use super::{FILE, parse, refusal, refused, table, with};
use crate::fixtures::s;
use crate::plan::Target;

/// The file's fault, of this kind.
fn fault(target: &str, kind: &str) -> String {
    with("kind = \"kill\"", &format!("kind = {kind}"))
        .replace("\"worker\"", &format!("\"{target}\""))
}

#[test]
fn each_kind_has_its_figures_and_their_defaults() {
    let cases = r#"
        worker => "latency"\ndelay = "2s" => Latency { delay: 2s, jitter: 0ns, share: 1.0 }
        database => "latency"\ndelay = "2s"\njitter = "1s"\nshare = 0.1 => Latency { delay: 2s, jitter: 1s, share: 0.1 }
        worker => "reset" => Reset { after_bytes: 0, share: 1.0 }
        worker => "reset"\nafter_bytes = 9\nshare = 0.5 => Reset { after_bytes: 9, share: 0.5 }
        worker => "garbage" => Garbage { share: 1.0 }
        worker => "status"\ncode = 599\nshare = 0.5 => Status { code: 599, share: 0.5 }
        api => "surge"\nrate = 30\npriority = 6 => Surge { rate: 30.0, priority: Some(6) }
    "#;
    for [target, kind, read] in table(cases) {
        let plan = parse(&fault(&target, &kind)).unwrap();
        assert_eq!(format!("{:?}", plan.faults[0].kind), read);
    }
}

#[test]
fn every_kind_is_read_by_its_name_and_only_for_targets_that_can_suffer_it() {
    let all = ["worker", "database", "api", "node"];
    let database = &all[1..2];
    let services = &all[..3];
    for (name, can) in [
        ("kill", &all[..]),
        ("pause", services),
        ("restart", services),
        ("partition", &["node"]),
        ("drain", &["node"]),
        ("replace", &["worker"]),
        ("refuse", &["worker", "database"]),
        ("blackhole", &["worker", "database"]),
        ("latency", &["worker", "database"]),
        ("reset", &["worker", "database"]),
        ("garbage", &["worker", "database"]),
        ("status", &["worker"]),
        ("lock", &["database"]),
        ("connections", &["database"]),
        ("read_only", database),
        ("switchover", &[]),
    ] {
        let own = match name {
            "latency" => "\ndelay = \"1s\"",
            "status" => "\ncode = 500",
            _ => "",
        };
        for target in all {
            let text = fault(target, &format!("\"{name}\"{own}"));
            let stage = if target == "node" { "swarm" } else { "compose" };
            let text = text.replace("[load]", &format!("stages = [\"{stage}\"]\n[load]"));
            match parse(&text) {
                Ok(plan) => {
                    assert!(can.contains(&target), "{name} on {target}");
                    assert_eq!(plan.faults[0].to_string(), format!("{target} {name}"));
                }
                Err(refusal) => {
                    let rule = format!("is nothing that the {target} can suffer");
                    let alone = "Postgres has no standbys: it needs system.replication";
                    let refused = refusal.ends_with(&rule) || refusal.ends_with(alone);
                    assert!(refused, "{refusal}");
                    assert!(!can.contains(&target), "{name} on {target}");
                }
            }
        }
    }
}

#[test]
fn a_postgres_with_standbys_suffers_what_has_it_fail_over_and_nothing_else() {
    let replicated = |target: &str, kind: &str, stage: &str| {
        let system =
            format!("stages = [\"{stage}\"]\n[system]\nreplication = \"synchronous\"\n[load]");
        parse(&fault(target, &format!("\"{kind}\"")).replace("[load]", &system))
    };
    for (target, kinds) in [
        ("database", &["kill", "partition", "switchover"][..]),
        ("standby", &["kill", "partition"]),
        ("api", &["kill", "pause", "restart"]),
    ] {
        for kind in [
            "kill",
            "partition",
            "switchover",
            "pause",
            "restart",
            "refuse",
            "lock",
        ] {
            let can = replicated(target, kind, "local").is_ok();
            assert_eq!(can, kinds.contains(&kind), "{target} {kind}");
        }
    }
    let elsewhere = replicated("database", "kill", "compose").unwrap_err();
    assert!(
        elsewhere.ends_with("needs stages = [\"local\"]"),
        "{elsewhere}"
    );
    let alone = refusal(&fault("standby", "\"kill\""));
    assert!(alone.ends_with("it needs system.replication"), "{alone}");
}

#[test]
fn faults_are_told_in_the_order_of_their_beginnings_and_may_be_none() {
    let earlier =
        "[[fault]]\ntarget = \"database\"\nkind = \"lock\"\nat = \"2s\"\nfor = \"3s\"\n[naive]";
    let faults = parse(&with("[naive]", earlier)).unwrap().faults;
    assert_eq!((faults[0].target, faults[0].at), (Target::Database, s(2)));
    assert_eq!((faults[1].target, faults[1].at), (Target::Worker, s(3)));
    let start = FILE.find("[[fault]]").unwrap();
    let end = FILE.find("[naive]").unwrap();
    let none = format!("{}{}", &FILE[..start], &FILE[end..]);
    assert_eq!(parse(&none).unwrap().faults, []);
}

#[test]
fn faults_leave_time_for_steady_state_at_both_ends() {
    refused(
        r#"
        "3s" => "1999ms" => 11: fault[0].at = "1999ms": must be at least 2s
        [load] => [system]\nwork_delay = "700ms"\n[load] => 13: fault[0].at = "3s": leaves no second of calls
        for = "5s" => for = "199ms" => 12: fault[0].for = "199ms": must be at least 200ms
        for = "5s" => for = "9001ms" => 12: fault[0].for = "9001ms": must leave 2s of steady state
        for = "5s" => for = "99999999999s" => 12: fault[0].for = "99999999999s": must leave 2s
        "#,
    );
    assert!(parse(&with("\"3s\"", "\"2s\"")).is_ok());
    assert!(parse(&with("for = \"5s\"", "for = \"9s\"")).is_ok());
}

#[test]
fn figures_of_a_fault_have_their_limits_and_belong_to_its_kind() {
    refused(
        r#"
        "kill" => "kill"\nshare = 0.5 => 11: fault[0].share = 0.5: this kind of fault does not have it: it has no key
        "kill" => "status"\ncode = 500\ndelay = "1s" => 12: fault[0].delay = "1s": this kind of fault does not have it: it has code, share
        "kill" => "garbage"\ncode = 500 => 11: fault[0].code = 500: this kind
        "kill" => "latency" => 8: fault[0]: this kind of fault needs `delay`
        "kill" => "status" => 8: fault[0]: this kind of fault needs `code`
        "kill" => "status"\ncode = 399 => 11: fault[0].code = 399: must be from 400 to 599
        "kill" => "status"\ncode = 600 => 11: fault[0].code = 600: must be
        "kill" => "garbage"\nshare = 0.0 => 11: fault[0].share = 0.0: must be above 0 and at most 1
        "kill" => "reset"\nshare = 1.1 => 11: fault[0].share = 1.1: must be
        "kill" => "latency"\ndelay = "0s" => 11: fault[0].delay = "0s": must be above 0
        "kill" => "latency"\ndelay = "1s"\njitter = "2s" => 12: fault[0].jitter = "2s": must be below
        "kill" => "replace" => 10: fault[0].kind = "replace": processes have no address
        "#,
    );
}

#[test]
fn faults_on_the_same_target_do_not_overlap() {
    let second = |target: &str, at: &str| {
        let fault = format!(
            "[[fault]]\ntarget = \"{target}\"\nkind = \"pause\"\nat = \"{at}\"\nfor = \"1s\"\n[naive]"
        );
        with("[naive]", &fault)
    };
    let refusal = refusal(&second("worker", "7s"));
    assert_eq!(
        refusal,
        "16: fault[1].at = \"7s\": must not overlap with `worker kill`, which hurts the same target"
    );
    assert!(parse(&second("worker", "2001ms")).is_err());
    for (target, at) in [("worker", "8s"), ("worker", "2s"), ("database", "5s")] {
        assert!(parse(&second(target, at)).is_ok(), "{target} {at}");
    }
}
