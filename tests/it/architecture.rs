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
            let inside = source.text.split("transaction!(").skip(1).filter_map(|rest| rest.split(")?").next());
            let calls = inside.filter(|body| {
                body.contains("app.provider")
                    || body.contains("app.mail")
                    || body.contains("app.kv")
                    || body.contains("app.blob")
            });
            calls.last().map(|body| format!("{}: {body}", source.path))
        }),
    ]
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
