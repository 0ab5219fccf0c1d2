//! What a document may ask for, checked before the engine sees it.
//!
//! The engine expands fragment spreads without memory of what it expanded: a few hundred bytes of fragments that each
//! spread the next one twice would hold a core for minutes, whatever its own limits say. And its parser recurses with
//! the nesting of the text. So the text is scanned first ([`text`]), then the document is measured in one pass that
//! visits each fragment once ([`measure`]). Both are linear in the size of the document.

mod measure;
mod order;
mod text;

use super::{problem::Problem, settings::DocumentLimits};
use async_graphql::{
    Name,
    parser::types::{ExecutableDocument, OperationType},
};
use measure::Measure;
use std::collections::HashMap;

/// Before parsing: as many tokens, and as deeply nested, as the parser can take.
pub fn check_text(query: &str, limits: &DocumentLimits) -> Result<(), Problem> {
    let Some(size) = text::scan(query) else {
        return Err(Problem::document("GRAPHQL_PARSE_FAILED", "A string is not terminated."));
    };
    within("tokens", size.tokens, limits.tokens)?;
    within("brackets inside each other", size.nesting, limits.nesting)
}

/// Before validation.
pub fn check_document(document: &ExecutableDocument, limits: &DocumentLimits) -> Result<(), Problem> {
    let fragments = document.fragments.len();
    let definitions = fragments.saturating_add(document.operations.iter().count());
    within("definitions", definitions, limits.definitions)?;
    within("fragments", fragments, limits.fragments)?;
    let order = order::dependencies_first(&document.fragments).map_err(|name| {
        Problem::document("GRAPHQL_VALIDATION_FAILED", format!("The fragment {:?} spreads itself.", name.as_str()))
    })?;
    let mut known = HashMap::new();
    for name in order {
        if let Some(fragment) = document.fragments.get(name) {
            let measure =
                Measure::of(&fragment.node.selection_set.node, &known).with_directives(&fragment.node.directives);
            // Each by itself: the engine also validates those that nothing spreads.
            let is_of_schema = fragment.node.type_condition.node.on.node.starts_with("__");
            check(&if is_of_schema { measure.of_schema() } else { measure }, limits)?;
            known.insert(name.as_str(), measure);
        }
    }
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        let measure = Measure::of(&operation.selection_set.node, &known).with_directives(&operation.directives);
        check(&measure, limits)?;
        within("root fields", measure.width, limits.root_fields)?;
        if operation.ty == OperationType::Subscription {
            within("root fields of a subscription", measure.width, limits.subscription_root_fields)?;
        }
    }
    Ok(())
}

/// The fragments of a document that was passed, each after those that it spreads.
pub fn fragments_in_order(document: &ExecutableDocument) -> Vec<&Name> {
    order::dependencies_first(&document.fragments).unwrap_or_default()
}

fn check(measure: &Measure, limits: &DocumentLimits) -> Result<(), Problem> {
    within("fields", measure.fields, limits.fields)?;
    // A spread of what has no fields costs the engine as much as a field does.
    within("selections", measure.selections, limits.fields.saturating_mul(2))?;
    within("fields inside each other", measure.depth, limits.depth)?;
    within("fields of the schema inside each other", measure.introspection_depth, limits.introspection_depth)?;
    within("lists of the schema inside each other", measure.introspection_lists, limits.introspection_lists)?;
    within("aliases", measure.aliases, limits.aliases)?;
    within("directives", measure.directives, limits.directives)
}

/// The refusal names the limit and the value, so that who wrote the document knows how far off it is.
fn within(what: &str, value: impl TryInto<u64>, limit: impl TryInto<u64>) -> Result<(), Problem> {
    let (value, limit) = (value.try_into().unwrap_or(u64::MAX), limit.try_into().unwrap_or(u64::MAX));
    if value <= limit {
        return Ok(());
    }
    // Sums stop at the largest number.
    let count = if value == u64::MAX { "far too many".to_owned() } else { value.to_string() };
    let message = format!("The document has {count} {what}; at most {limit} are allowed.");
    Err(Problem::document("QUERY_TOO_COMPLEX", message).beyond(limit, value))
}

#[cfg(test)]
mod tests;
