//! `map`: which file goes to which variables, `{ "0": ["variables.input.file"] }`.

use super::super::problem::Problem;
use crate::graphql::upload::Uploads;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Every file has a name of its own and at least one place.
#[derive(Debug)]
pub struct FileMap(BTreeMap<String, Vec<String>>);

impl FileMap {
    pub fn parse(json: &[u8], most: usize) -> Result<Self, Problem> {
        let map: BTreeMap<String, Vec<String>> = serde_json::from_slice(json).map_err(|error| {
            Problem::bad_request(format!("`map` must be an object of lists of variables' paths: {error}."))
        })?;
        if map.len() > most {
            return Err(Problem::payload_too_large(format!(
                "`map` names {} files; at most {most} are taken.",
                map.len()
            )));
        }
        match map.iter().find(|(_, paths)| paths.is_empty()) {
            Some((name, _)) => Err(Problem::bad_request(format!("`map` gives the file {name:?} no place."))),
            None => Ok(Self(map)),
        }
    }

    /// In the order that markers count in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Puts a marker into each variable that takes a file.
    pub fn mark(&self, variables: &mut Map<String, Value>) -> Result<(), Problem> {
        for (place, paths) in self.0.values().enumerate() {
            for path in paths {
                let variable = variable(variables, path).ok_or_else(|| {
                    Problem::bad_request(format!("`map` names {path:?}, which is not in `operations`."))
                })?;
                if !variable.is_null() {
                    return Err(Problem::bad_request(format!("{path:?} must be null, and take one file only.")));
                }
                *variable = Value::String(Uploads::marker(place));
            }
        }
        Ok(())
    }
}

fn variable<'a>(variables: &'a mut Map<String, Value>, path: &str) -> Option<&'a mut Value> {
    let mut steps = path.strip_prefix("variables.")?.split('.');
    let first = variables.get_mut(steps.next()?)?;
    steps.try_fold(first, |value, step| match value {
        Value::Object(fields) => fields.get_mut(step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn marked(map: &str, variables: &Value) -> Result<Value, String> {
        let mut variables = variables.as_object().cloned().unwrap_or_default();
        FileMap::parse(map.as_bytes(), 2)
            .and_then(|map| map.mark(&mut variables))
            .map(|()| Value::Object(variables))
            .map_err(|problem| problem.message)
    }

    #[test]
    fn each_place_gets_its_marker() {
        let variables = json!({ "a": null, "list": [null, null], "input": { "file": null } });
        let map = r#"{ "y": ["variables.a", "variables.list.1"], "x": ["variables.input.file"] }"#;
        let expected = json!({ "a": "#upload:1", "list": [null, "#upload:1"], "input": { "file": "#upload:0" } });
        assert_eq!(marked(map, &variables), Ok(expected));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let variables = json!({ "a": null, "list": [null], "b": 1 });
        for (map, named) in [
            ("[]", "`map` must be"),
            (r#"{ "0": "variables.a" }"#, "`map` must be"),
            (r#"{ "0": [] }"#, "\"0\" no place"),
            (r#"{ "0": ["a"] }"#, "\"a\", which is not"),
            (r#"{ "0": ["0.variables.a"] }"#, "\"0.variables.a\", which is not"),
            (r#"{ "0": ["variables.c"] }"#, "\"variables.c\", which is not"),
            (r#"{ "0": ["variables.list.1"] }"#, "\"variables.list.1\", which is not"),
            (r#"{ "0": ["variables.a.b"] }"#, "\"variables.a.b\", which is not"),
            (r#"{ "0": ["variables.b"] }"#, "\"variables.b\" must be null"),
            (r#"{ "0": ["variables.a"], "1": ["variables.a"] }"#, "one file only"),
            (r#"{ "0": ["variables.a"], "1": ["variables.b"], "2": ["variables.c"] }"#, "names 3 files; at most 2"),
        ] {
            let refused = marked(map, &variables);
            assert!(refused.as_ref().is_err_and(|message| message.contains(named)), "{map}: {refused:?}");
        }
    }
}
