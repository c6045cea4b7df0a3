//! Runs parts of the test suite, one after another, and sums up.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::part::{self, PARTS, Part};
use crate::project::Project;
use crate::setup;

/// How one part ended.
struct Outcome {
    name: &'static str,
    elapsed: Duration,
    result: Result<()>,
}

/// Runs the named parts, or all, in the suite's order. A failure does not keep later parts from running.
///
/// # Errors
///
/// When a part failed or is not known.
pub fn run(project: &Project, names: &[String]) -> Result<()> {
    let parts = select(names)?;
    let outcomes: Vec<Outcome> = parts.into_iter().map(|part| run_part(project, part)).collect();

    println!("\n== summary");
    for Outcome { name, elapsed, result } in &outcomes {
        let verdict = match result {
            Ok(()) => "ok".to_owned(),
            Err(error) => format!("FAILED: {error:#}"),
        };
        println!("{name:<12}{:>8.1} s  {verdict}", elapsed.as_secs_f64());
    }
    let total: Duration = outcomes.iter().map(|outcome| outcome.elapsed).sum();
    println!("{:<12}{:>8.1} s", "total", total.as_secs_f64());

    let failed: Vec<&str> =
        outcomes.iter().filter(|outcome| outcome.result.is_err()).map(|outcome| outcome.name).collect();
    ensure!(failed.is_empty(), "failed: {}", failed.join(" "));
    Ok(())
}

fn select(names: &[String]) -> Result<Vec<&'static Part>> {
    for name in names {
        let known = PARTS.iter().any(|part| part.name == name);
        ensure!(known, "`{name}` is no part; the parts are: {}", part::names());
    }
    let is_wanted = |part: &&Part| names.is_empty() || names.iter().any(|name| name == part.name);
    Ok(PARTS.iter().filter(is_wanted).collect())
}

fn run_part(project: &Project, part: &Part) -> Outcome {
    println!("\n== {}", part.name);
    let begun = Instant::now();
    let result =
        setup::provide(project, part.requirements).context("its set-up").and_then(|()| (part.run)(project));
    if let Err(error) = &result {
        eprintln!("error: {}: {error:#}", part.name);
    }
    Outcome { name: part.name, elapsed: begun.elapsed(), result }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], selected: Option<&[&str]>) {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let parts = select(&names).ok();
        let found = parts.map(|parts| parts.iter().map(|part| part.name).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), selected);
    }

    #[test]
    fn named_parts_run_in_the_order_of_the_suite() {
        check(&["size", "build"], Some(&["build", "size"]));
    }

    #[test]
    fn an_unknown_part_is_refused() {
        check(&["build", "biuld"], None);
    }

    #[test]
    fn no_name_means_every_part() {
        let all: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        check(&[], Some(&all));
    }
}
