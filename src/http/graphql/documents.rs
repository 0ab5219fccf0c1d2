//! Documents that passed every check on this node, parsed: clients send the same few over and over.
//!
//! What holds of a document holds whoever sends it. What holds of its variables does not: only values that can be
//! nothing but right spare the engine its validation ([`are_plain`]), so that a known document is refused in the same
//! words as a new one.

use super::inputs::Inputs;
use async_graphql::{
    Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition},
};
use moka::sync::Cache;
use std::sync::Arc;

/// Bytes of text that are kept. Parsed, a document takes up to a hundred times as much.
const MOST_BYTES: u64 = 512 * 1024;

/// By their text.
#[derive(Clone, Debug)]
pub struct Documents(Cache<Arc<str>, Arc<ExecutableDocument>>);

/// A document that is not known yet.
#[derive(Debug)]
pub struct Unknown {
    pub text: Arc<str>,
    pub document: Arc<ExecutableDocument>,
}

impl Default for Documents {
    fn default() -> Self {
        let weigh = |text: &Arc<str>, _: &Arc<ExecutableDocument>| u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weigh).max_capacity(MOST_BYTES).build())
    }
}

impl Documents {
    pub fn get(&self, text: &str) -> Option<Arc<ExecutableDocument>> {
        self.0.get(text)
    }

    /// Keeps what has passed. With several operations, only the one that was asked for has.
    pub fn keep(&self, passed: Unknown) {
        if passed.document.operations.iter().count() == 1 {
            self.0.insert(passed.text, passed.document);
        }
    }
}

/// True if each variable has a value that is right at first sight, or none and needs none. False does not say wrong: the
/// engine looks closer.
pub fn are_plain(inputs: &Inputs, variables: &Variables, operation: &OperationDefinition) -> bool {
    operation.variable_definitions.iter().all(|definition| {
        let definition = &definition.node;
        match variables.get(&definition.name.node) {
            None => definition.var_type.node.nullable || definition.default_value.is_some(),
            // A variable with a default may stand where null must not.
            Some(Value::Null) if definition.default_value.is_some() => false,
            Some(value) => inputs.is_plain(value, &definition.var_type.node),
        }
    })
}
