//! What values of the schema's inputs are right at first sight, so that a known document is not validated again for each of
//! its variables' values. Read from the schema's text; the engine's own scalars are asked of the engine.

use super::engine::Engine;
use async_graphql::{
    Value,
    parser::{
        parse_schema,
        types::{BaseType, Type, TypeKind, TypeSystemDefinition},
    },
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The input objects and enums of a schema.
pub struct Inputs {
    engine: Arc<dyn Engine>,
    objects: HashMap<String, HashMap<String, Field>>,
    enums: HashMap<String, HashSet<String>>,
}

#[derive(Debug)]
struct Field {
    takes: Type,
    may_be_missing: bool,
}

impl Inputs {
    /// A schema whose text cannot be read has none: everything is validated then.
    pub fn of(engine: Arc<dyn Engine>) -> Self {
        let mut inputs = Self { objects: HashMap::new(), enums: HashMap::new(), engine };
        let schema = parse_schema(inputs.engine.sdl());
        for definition in schema.into_iter().flat_map(|schema| schema.definitions) {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            match definition.node.kind {
                // Of these exactly one field must be there: left to the engine.
                TypeKind::InputObject(_)
                    if definition.node.directives.iter().any(|one| one.node.name.node == "oneOf") => {}
                TypeKind::InputObject(object) => {
                    let fields = object.fields.into_iter().map(|field| {
                        let may_be_missing = field.node.ty.node.nullable || field.node.default_value.is_some();
                        (field.node.name.node.to_string(), Field { takes: field.node.ty.node, may_be_missing })
                    });
                    inputs.objects.insert(name, fields.collect());
                }
                TypeKind::Enum(values) => {
                    let values = values.values.into_iter().map(|value| value.node.value.node.to_string());
                    inputs.enums.insert(name, values.collect());
                }
                _ => {}
            }
        }
        inputs
    }

    /// False does not say wrong: the engine looks closer.
    pub fn is_plain(&self, value: &Value, takes: &Type) -> bool {
        match (&takes.base, value) {
            (_, Value::Null) => takes.nullable,
            (BaseType::List(takes), Value::List(values)) => values.iter().all(|value| self.is_plain(value, takes)),
            (BaseType::List(_), _) => false,
            (BaseType::Named(name), value) => self.is_one(value, name),
        }
    }

    fn is_one(&self, value: &Value, name: &str) -> bool {
        match (name, value) {
            ("ID" | "String", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
            ("Int", Value::Number(number)) => number.is_i64(),
            (_, Value::Object(values)) => self.objects.get(name).is_some_and(|fields| {
                let is_known = |(field, value): (&async_graphql::Name, &Value)| {
                    fields.get(field.as_str()).is_some_and(|field| self.is_plain(value, &field.takes))
                };
                values.iter().all(is_known)
                    && fields.iter().all(|(name, field)| field.may_be_missing || values.contains_key(name.as_str()))
            }),
            (_, Value::String(text)) if self.enums.contains_key(name) => {
                self.enums.get(name).is_some_and(|values| values.contains(text))
            }
            (_, Value::String(_) | Value::Number(_)) => self.engine.is_right(name, value),
            _ => false,
        }
    }
}
