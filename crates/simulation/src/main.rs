//! `simulate`: plays seeds and says which of them broke a promise.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use holdfast_simulation::experiment;
use holdfast_simulation::mutant::Mutant;
use holdfast_simulation::report::{Options, map, mutants, simulate, speed};

/// The service's core in virtual time, over a modelled world.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// Play this seed alone, and show what happened.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..u64::MAX))]
    seed: Option<u64>,
    /// Play so many seeds.
    #[arg(long, default_value_t = 2000, conflicts_with = "seed", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// With a seed: show also what happened to this request.
    #[arg(long, requires = "seed")]
    request: Option<u64>,
    /// Put this defect behind the ports, to see it found.
    #[arg(long, value_enum, default_value_t = Mutant::None)]
    mutant: Mutant,
    /// See whether each defect is found within so many seeds.
    #[arg(long, conflicts_with_all = ["seed", "seeds"], value_parser = clap::value_parser!(u64).range(1..))]
    mutants: Option<u64>,
    /// Draw the map of when a service falls over and whether it gets up, as a page in this file.
    #[arg(long, conflicts_with_all = ["seed", "seeds", "mutants"])]
    map: Option<PathBuf>,
    /// Play the trial that standard input describes, as the lab asks for it with STAGE=virtual, and print what was seen.
    #[arg(long, conflicts_with_all = ["seed", "seeds", "mutants", "map"])]
    trial: bool,
    /// Measure how many calls a second are played.
    #[arg(long, conflicts_with_all = ["seed", "seeds", "mutants"])]
    speed: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    if arguments.trial {
        return trial(&mut out);
    }
    let played = if let Some(page) = arguments.map {
        map(&page, &mut out)
    } else if arguments.speed {
        speed(&mut out)
    } else if let Some(seeds) = arguments.mutants {
        mutants(seeds, &mut out)
    } else {
        let options = Options {
            seeds: match arguments.seed {
                Some(seed) => seed..seed.saturating_add(1),
                None => arguments.from..arguments.from.saturating_add(arguments.seeds),
            },
            shows_one: arguments.seed.is_some(),
            request: arguments.request,
            mutant: arguments.mutant,
        };
        simulate(&options, &mut out)
    };
    match played {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Where even this cannot be written nobody reads it.
            let _ = writeln!(out, "{error}");
            ExitCode::from(2)
        }
    }
}

/// Exit code 2 and a line on standard error where it cannot be played.
fn trial(out: &mut impl Write) -> ExitCode {
    let played = experiment::play(std::io::stdin().lock(), out);
    let Err(error) = played else {
        return ExitCode::SUCCESS;
    };
    // Nobody is left to tell if this fails.
    let _ = writeln!(std::io::stderr(), "{error}");
    ExitCode::from(2)
}
