// SPDX-License-Identifier: GPL-2.0

//! The protocol that the wrapper relies on, explored by loom. See `docs/model.md`.
//!
//! ```text
//! model scenarios                 NAME THREADS PREEMPTIONS WHAT for each scenario, the longest
//!                                 ones first
//! model mutants                   NAME SCENARIO PROPERTY WHAT for each that a defect violates
//! model properties                NAME for each
//! model run SCENARIO [MUTANT]     exits with 0 if all properties hold in all interleavings,
//!                                 with 1 if one does not, and 2 if something else went wrong
//! ```

mod check;
mod kernel;
mod scenarios;
mod unload;
mod wait;
mod wrapper;

use check::{Property, MUTANTS};
use scenarios::{Scenario, SCENARIOS};
use std::{env, panic, process::exit, time::Instant};

fn run(scenario: &str, mutant: Option<&str>) {
    let scenario = SCENARIOS
        .iter()
        .find(|known| known.name == scenario)
        .expect("a scenario");
    if let Some(name) = mutant {
        let mutant = MUTANTS
            .iter()
            .find(|known| known.name == name)
            .expect("a mutant");
        check::make_wrong(mutant.site);
    }

    // The process ends here: loom does not survive a failure, and there is nothing to clean up.
    panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        match check::blame(&text) {
            Some(property) => {
                println!("violated {} {}", property.name(), check::iterations());
                println!("{text}");
                exit(1);
            }
            None => {
                println!("broken: {text}");
                exit(2);
            }
        }
    }));

    let began = Instant::now();
    // Not `loom::model`, which would let the environment set bounds.
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = scenario.preemptions;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.check(|| {
        check::begin();
        (scenario.run)();
    });
    println!(
        "holds {} {:.1}",
        check::iterations(),
        began.elapsed().as_secs_f32()
    );
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();

    match args[..] {
        ["properties"] => {
            for property in Property::ALL {
                println!("{}", property.name());
            }
        }
        ["scenarios"] => {
            for scenario in SCENARIOS {
                let preemptions = match scenario.preemptions {
                    Some(most) => most.to_string(),
                    None => "all".to_string(),
                };
                let Scenario {
                    name,
                    threads,
                    what,
                    ..
                } = scenario;
                println!("{name} {threads} {preemptions} {what}");
            }
        }
        ["mutants"] => {
            for mutant in MUTANTS {
                for (scenario, property) in mutant.violates {
                    let property = property.name();
                    println!("{} {scenario} {property} {}", mutant.name, mutant.what);
                }
            }
        }
        ["run", scenario] => run(scenario, None),
        ["run", scenario, mutant] => run(scenario, Some(mutant)),
        _ => {
            eprintln!("usage: model properties | scenarios | mutants | run SCENARIO [MUTANT]");
            exit(2);
        }
    }
}
