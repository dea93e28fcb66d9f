//! Asks every crate every question, in real time, and prints the answers as a table.
//!
//! Exit code 1 if ours is not the right answer in every row: what is claimed is then not true.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::process::ExitCode;

use holdfast_rivals::contenders::CONTENDERS;
use holdfast_rivals::probes::{Clock, PROBES, ProbeError, table};

fn main() -> Result<ExitCode, ProbeError> {
    println!("{}", table::header());
    let mut right = true;
    for probe in PROBES {
        let findings = CONTENDERS
            .iter()
            .map(|contender| probe.run(*contender, Clock::Real))
            .collect::<Result<Vec<_>, _>>()?;
        println!("{}", table::row(probe, &findings));
        let ours = findings.last().copied().flatten();
        right &= ours.is_some_and(|finding| probe.right.admits(finding));
    }
    println!("\n{}", table::LEGEND);
    for note in table::notes() {
        println!("{note}");
    }
    Ok(ExitCode::from(u8::from(!right)))
}
