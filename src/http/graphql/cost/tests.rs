//! Costs of documents on the real schema.

use super::{Prices, Requested, actual, requested};
use async_graphql::{Value, Variables, parser::parse_query};
use serde_json::json;

fn of(text: &str, variables: serde_json::Value) -> Requested {
    let prices = Prices::from_sdl(&crate::graphql::sdl()).unwrap();
    let document = parse_query(text).unwrap();
    let (_, operation) = document.operations.iter().next().unwrap();
    requested(&prices, &document, &operation.node, &Variables::from_json(variables))
}

#[test]
fn each_field_costs_what_it_leads_to() {
    for (text, variables, cost) in [
        ("{ __typename }", json!({}), 1),
        ("{ event(id: 1) { title startsAt } }", json!({}), 1),
        ("{ event(id: 1) { title artist { nickname } } }", json!({}), 2),
        ("{ a: event(id: 1) { title } b: event(id: 1) { title } }", json!({}), 2),
        ("{ events { nodes { title } } }", json!({}), 22),
        ("{ events(first: 5) { nodes { title artist { nickname } } pageInfo { hasNextPage } } }", json!({}), 12),
        ("{ events(first: 5) { edges { cursor node { title } } } }", json!({}), 12),
        ("query($n: Int) { events(first: $n) { nodes { title } } }", json!({ "n": 7 }), 9),
        ("query($n: Int = 3) { events(first: $n) { nodes { title } } }", json!({}), 5),
        (
            "query($n: Int = 3) { events(last: $n) { ...C } } fragment C on EventConnection { ...D } \
          fragment D on EventConnection { nodes { title } }",
            json!({}),
            5,
        ),
        ("{ events(first: 1000) { nodes { title } } }", json!({}), 102),
        ("{ events(first: 10) { nodes { reviews(first: 10) { nodes { content } } } } }", json!({}), 2 + 10 * (1 + 12)),
        ("{ nodes(ids: [1, 2, 3]) { id } }", json!({}), 3),
        (
            "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Event { artist { nickname } } } }",
            json!({ "ids": [1, 2] }),
            4,
        ),
        ("{ nothing { at { all } } }", json!({}), 1),
        ("{ node(id: 1) { ... on Event { artist { nickname } } } }", json!({}), 2),
        ("mutation { signOut(input: {}) { isSignedOut } }", json!({}), 11),
        ("{ __schema { types { name } } }", json!({}), 50),
    ] {
        assert_eq!(of(text, variables).cost, cost, "{text}");
    }
    assert!(of("{ __type(name: 1) { name } }", json!({})).is_introspection);
}

#[test]
fn an_answer_costs_the_objects_that_it_has() {
    let asked = of("{ events(first: 50) { nodes { title } } }", json!({}));
    for (data, cost) in [
        (json!({ "events": { "nodes": [{ "title": "a" }, { "title": "b" }] } }), 3),
        (json!({ "events": { "nodes": [] } }), 1),
        (json!(null), 1),
    ] {
        assert_eq!(actual(asked, &Value::from_json(data.clone()).unwrap()), cost, "{data}");
    }
    let mutation = of("mutation { signOut(input: {}) { isSignedOut } }", json!({}));
    let data = Value::from_json(json!({ "signOut": { "isSignedOut": true } })).unwrap();
    assert_eq!(actual(mutation, &data), 11);
}
