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
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use measure::Measure;
use std::collections::HashMap;

/// Before parsing: as many tokens, and as deeply nested, as the parser can take.
pub fn check_text(query: &str, limits: &DocumentLimits) -> Result<(), Problem> {
    match text::scan(query, limits.tokens, limits.nesting) {
        Ok(()) => Ok(()),
        Err(text::Refused::Tokens) => Err(too_complex("tokens", limits.tokens)),
        Err(text::Refused::Nesting) => Err(too_complex("brackets inside each other", limits.nesting)),
        Err(text::Refused::Unterminated) => {
            Err(Problem::document("GRAPHQL_PARSE_FAILED", "A string is not terminated."))
        }
    }
}

/// Before validation.
pub fn check_document(document: &ExecutableDocument, limits: &DocumentLimits) -> Result<(), Problem> {
    let fragments = document.fragments.len();
    let definitions = fragments.saturating_add(document.operations.iter().count());
    within("definitions", definitions, limits.definitions)?;
    within("fragments", fragments, limits.fragments)?;
    let order = order::dependencies_first(&document.fragments).map_err(|name| {
        Problem::document("GRAPHQL_VALIDATION_FAILED", format!("The fragment {name:?} spreads itself."))
    })?;
    let mut known = HashMap::new();
    for name in order {
        if let Some(fragment) = document.fragments.get(name) {
            let measure =
                Measure::of(&fragment.node.selection_set.node, &known).with_directives(&fragment.node.directives);
            // Each by itself: the engine also validates those that nothing spreads.
            check(&measure, limits)?;
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

fn within<N: PartialOrd + std::fmt::Display>(what: &str, count: N, limit: N) -> Result<(), Problem> {
    if count > limit { Err(too_complex(what, limit)) } else { Ok(()) }
}

fn too_complex(what: &str, limit: impl std::fmt::Display) -> Problem {
    Problem::document("QUERY_TOO_COMPLEX", format!("The document has more than {limit} {what}."))
}

#[cfg(test)]
mod tests;
