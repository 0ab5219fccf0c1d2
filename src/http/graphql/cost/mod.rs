//! What an operation costs, before it runs: an object 1, a scalar 0, a page 2 and its size times an entry, a mutation 10
//! more. After it ran: the objects that it really had.

mod count;
mod prices;

use super::guard;
use async_graphql::{
    Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType},
};
use count::{Cost, Counter};
pub use prices::Prices;
use std::collections::HashMap;

/// Each root field of a mutation, besides what it answers.
const MUTATION: u64 = 10;

/// What an operation asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requested {
    pub cost: u64,
    /// What is charged even if the answer is empty.
    pub base: u64,
    /// Whether it asks about the schema.
    pub is_introspection: bool,
}

/// The cost of one operation of a document that the guard has passed.
pub fn requested(
    prices: &Prices,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Requested {
    let defaults = operation.variable_definitions.iter().filter_map(|definition| {
        let default = definition.node.default_value.as_ref()?;
        Some((definition.node.name.node.as_str(), &default.node))
    });
    let mut counter = Counter { prices, variables, defaults: defaults.collect(), fragments: HashMap::new() };
    for name in guard::fragments_in_order(document) {
        if let Some(fragment) = document.fragments.get(name) {
            let on = fragment.node.type_condition.node.on.node.as_str();
            let cost = counter.set(on, &fragment.node.selection_set.node);
            counter.fragments.insert(name.as_str(), cost);
        }
    }
    let [query, mutation, subscription] = &prices.roots;
    let (root, is_mutation) = match operation.ty {
        OperationType::Query => (query, false),
        OperationType::Mutation => (mutation, true),
        OperationType::Subscription => (subscription, false),
    };
    let set = &operation.selection_set.node;
    let Cost { fixed, per_entry, is_introspection } = counter.set(root, set);
    let width = u64::try_from(set.items.len()).unwrap_or(u64::MAX);
    // Nothing is free: each request takes a point.
    let base = if is_mutation { MUTATION.saturating_mul(width) } else { 1 };
    let cost = fixed.saturating_add(per_entry).saturating_add(if is_mutation { base } else { 0 }).max(1);
    Requested { cost, base, is_introspection }
}

/// What an answer really had: its objects.
pub fn actual(requested: Requested, data: &Value) -> u64 {
    let base = if requested.base > 1 { requested.base } else { 0 };
    base.saturating_add(objects(data).saturating_sub(1)).clamp(1, requested.cost.max(1))
}

fn objects(value: &Value) -> u64 {
    match value {
        Value::Object(map) => map.values().map(objects).fold(1, u64::saturating_add),
        Value::List(list) => list.iter().map(objects).fold(0, u64::saturating_add),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
