//! One test binary: black-box scenarios through the API that users have, each on a database of its own, with a clock
//! that is moved. `SPOTLIGHT_TEST_DATABASES` names the databases to run on, separated by commas; `sqlite` if unset.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that breaks should stop where it breaks"
)]

mod admin;
mod admin_sign_in;
mod alerts;
mod architecture;
mod auth;
mod away;
mod booking;
mod charges;
mod commits;
mod commits_approve;
mod commits_of_groups;
mod config;
mod cookies;
mod coupons;
mod deadlocks;
mod decisions;
mod double_submit;
mod doubt;
mod edge;
mod events;
mod expiry;
mod guesses;
mod harness;
mod invariants;
mod kv;
mod late;
mod ledgers;
mod line;
mod lists;
mod mail;
mod mail_kill;
mod member;
mod metrics;
mod migrations;
mod natural_keys;
mod notifications;
mod onsale;
mod outages;
mod passwords;
mod payment;
mod persisted;
mod proofs;
mod races;
mod refusals;
mod revoked;
mod schedules;
mod schema;
mod secrets;
mod sessions;
mod social;
mod tokens;
mod torture;
mod transports;
mod uploads;

use harness::{Database, Scenario};
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn scenarios() -> Vec<Scenario> {
    [
        admin_sign_in::all(),
        admin::all(),
        admin::deeds::all(),
        admin::lists::all(),
        alerts::all(),
        auth::all(),
        booking::all(),
        charges::all(),
        commits::all(),
        commits_approve::all(),
        commits_of_groups::all(),
        config::all(),
        cookies::all(),
        coupons::all(),
        decisions::all(),
        decisions::away::all(),
        decisions::disputed::all(),
        double_submit::all(),
        deadlocks::all(),
        doubt::all(),
        edge::all(),
        events::all(),
        expiry::all(),
        guesses::all(),
        invariants::all(),
        kv::all(),
        late::all(),
        ledgers::all(),
        line::all(),
        lists::all(),
        member::all(),
        member::blocked::all(),
        member::email::all(),
        member::ended::all(),
        member::erased::all(),
        mail::all(),
        metrics::all(),
        natural_keys::all(),
        notifications::all(),
        onsale::all(),
        outages::all(),
        passwords::all(),
        payment::all(),
        persisted::all(),
        proofs::all(),
        races::all(),
        refusals::all(),
        revoked::all(),
        schedules::all(),
        sessions::all(),
        torture::all(),
        social::all(),
        social::links::all(),
        social::provider::all(),
        social::webhook::all(),
        tokens::all(),
        transports::all(),
        uploads::all(),
        uploads::files::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each scenario is a whole server; more at once than this only wait for each other.
    arguments.test_threads.get_or_insert(4);
    let databases = Database::wanted();
    let mut trials: Vec<Trial> = [
        architecture::trials(),
        schema::trials(),
        natural_keys::trials(),
        mail::trials(),
        kv::trials(),
        double_submit::trials(),
        away::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    trials.push(Trial::test("secrets::no_secret_is_in_the_log", || {
        secrets::no_secret_is_in_the_log();
        Ok(())
    }));
    trials.push(Trial::test("secrets::no_password_of_a_backend_is_in_the_log", || {
        secrets::no_password_of_a_backend_is_in_the_log();
        Ok(())
    }));
    trials.extend(migrations::trials(&databases));
    for database in &databases {
        trials.extend(scenarios().into_iter().map(|scenario| scenario.trial(database)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    for name in Database::missing(&databases) {
        eprintln!("NOT RUN on {name}: SPOTLIGHT_TEST_DATABASES does not name one (.ci/databases starts it)");
    }
    conclusion.exit_code()
}
