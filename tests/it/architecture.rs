//! The four rules of the house, read off the `use` lines.

use libtest_mimic::{Failed, Trial};
use std::path::{Path, PathBuf};

pub fn trials() -> Vec<Trial> {
    let rule = |name: &'static str, broken: fn(&Source) -> Option<String>| {
        Trial::test(format!("architecture::{name}"), move || {
            let found: Vec<String> = sources().iter().filter_map(broken).collect();
            if found.is_empty() { Ok(()) } else { Err(Failed::from(found.join("\n"))) }
        })
    };
    vec![
        rule("async_graphql_stays_in_graphql_files_and_http", |source| {
            let is_home =
                source.is_graphql() || source.path.starts_with("graphql/") || source.path.starts_with("http/");
            source.names("async_graphql", !is_home)
        }),
        rule("resolvers_and_handlers_never_name_sea_orm", |source| {
            let is_edge =
                source.is_graphql() || source.path.starts_with("graphql/") || source.path.starts_with("http/");
            source.names("sea_orm", is_edge)
        }),
        rule("a_model_is_pure", |source| {
            let is_model = source.path.ends_with("model.rs");
            ["sea_orm", "async fn", "crate::app", ".await", "Clock"]
                .iter()
                .find_map(|word| source.names(word, is_model))
        }),
        rule("nothing_below_names_a_graphql_file", |source| {
            let is_above =
                source.is_graphql() || source.path.starts_with("graphql/") || source.path.starts_with("http/");
            let is_root = matches!(source.path.as_str(), "lib.rs" | "cli.rs") || source.path.ends_with("mod.rs");
            source.names("graphql::", !is_above && !is_root)
        }),
        rule("only_use_cases_open_transactions", |source| {
            let is_low = source.is_graphql()
                || source.path.ends_with("model.rs")
                || source.path.ends_with("query.rs")
                || source.path.starts_with("graphql/")
                || source.path.starts_with("http/");
            source.names("transaction!", is_low)
        }),
        rule("no_call_to_the_outside_inside_a_transaction", |source| {
            let found = source.inside_transactions().into_iter().find_map(call_to_the_outside)?;
            Some(format!("{}: {found}", source.path))
        }),
        Trial::test("architecture::the_scan_of_transactions_sees_their_ends", || {
            let guilty = [
                "transaction!(app, txn => { first(txn)?; app.provider.cancel(tid).await?; Ok(()) })",
                "transaction!(app, txn => { say(\"(\")?; Ok(app.mail.send(letter).await?) })",
                "async fn hold(txn: &impl ConnectionTrait, app: &App) -> Result<()> { app.kv.get(key).await?; Ok(()) }",
            ];
            let innocent = [
                "transaction!(app, txn => first(txn).await)?; app.provider.cancel(tid).await?;",
                "async fn hold(txn: &impl ConnectionTrait) -> Result<()> { Ok(()) } async fn f(app: &App) { app.kv.get(key) }",
            ];
            let is_caught = |text: &&str| {
                let source = Source { path: String::new(), text: (*text).to_owned() };
                source.inside_transactions().into_iter().any(|body| call_to_the_outside(body).is_some())
            };
            let (missed, accused): (Vec<_>, Vec<_>) = (
                guilty.iter().filter(|text| !is_caught(text)).collect(),
                innocent.iter().filter(|text| is_caught(text)).collect(),
            );
            if missed.is_empty() && accused.is_empty() {
                return Ok(());
            }
            Err(Failed::from(format!("missed {missed:?}; accused {accused:?}")))
        }),
    ]
}

/// The word of a body that leaves the database.
fn call_to_the_outside(body: &str) -> Option<&'static str> {
    ["app.provider", "app.mail", "app.kv", "app.search", "app.social"].into_iter().find(|word| body.contains(word))
}

/// From an opening bracket to the one that closes it; brackets in strings do not count.
fn balanced(text: &str) -> &str {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            '(' | '{' if !is_text => depth += 1,
            ')' | '}' if !is_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_graphql(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.starts_with("graphql")
    }

    /// What runs inside a transaction: the arguments of the macro, and functions that are given one.
    fn inside_transactions(&self) -> Vec<&str> {
        let after = |word: &'static str| self.text.match_indices(word).map(move |(at, word)| at + word.len());
        let bodies = after("transaction!").filter(|at| self.text[*at..].starts_with('('));
        let functions = after("txn: &").filter_map(|at| Some(at + self.text[at..].find('{')?));
        bodies.chain(functions).map(|at| balanced(&self.text[at..])).collect()
    }

    /// The first line of code that has the word, if the rule applies to this file.
    fn names(&self, word: &str, applies: bool) -> Option<String> {
        let code = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let line = code.filter(|_| applies).find(|line| line.contains(word))?;
        Some(format!("{}: {}", self.path, line.trim()))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push(Source { path, text });
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}
