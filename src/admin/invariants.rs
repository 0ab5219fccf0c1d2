//! What must always hold of seats, money, points and coupons. Each rule is a query that counts the rows that break it:
//! admins run them through the API and `spotlight audit`, the tests after every scenario. `tests/it/invariants.rs` breaks
//! each by hand, and sees that rule named.
//!
//! Each is one statement, so that it sees one moment of a database that goes on working. What a constraint of the schema
//! holds already is asked all the same: this is what is looked at after something went wrong. `watch` looks by itself, and
//! tells people.

mod holds;
mod money;
mod sales;
mod seats;
mod taken;
pub mod watch;

use crate::{
    app::App,
    error::{Error, Result},
};
use sea_orm::{ConnectionTrait, Statement};

/// What became of a rule.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name for machines; never changed once released.
    pub slug: &'static str,
    /// In words.
    pub rule: &'static str,
    /// Rows that break it.
    pub broken: i64,
}

/// Its slug, the rule in words, and the query that counts what breaks it.
type Rule = (&'static str, &'static str, &'static str);

fn rules() -> impl Iterator<Item = &'static Rule> {
    seats::RULES.iter().chain(money::RULES).chain(taken::RULES).chain(sales::RULES)
}

/// Of every rule its slug and its words.
fn named() -> impl Iterator<Item = (&'static str, &'static str)> {
    rules().map(|(slug, rule, _)| (*slug, *rule)).chain(holds::RULES)
}

pub async fn check(app: &App) -> Result<Vec<Outcome>> {
    let db = app.db.reads();
    let mut outcomes = Vec::new();
    for (slug, rule, sql) in rules() {
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), *sql)).await?;
        let row = row.ok_or_else(|| Error::fault("a count has a row"))?;
        outcomes.push(Outcome { slug, rule, broken: row.try_get_by_index(0)? });
    }
    outcomes.extend(holds::check(app).await?);
    Ok(outcomes)
}
