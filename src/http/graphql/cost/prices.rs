//! What each field of the schema is, as its cost needs it: read once from the schema's own text.

use async_graphql::parser::{
    Error, parse_schema,
    types::{BaseType, FieldDefinition, TypeDefinition, TypeKind, TypeSystemDefinition},
};
use std::collections::HashMap;

/// What a field leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scalar or an enum.
    Leaf,
    /// An object, or a list that the product keeps short.
    Object(String),
    /// A page: what stands under its `nodes` and `edges` is there once for each entry.
    Connection(String),
}

/// The schema's fields by type and name.
#[derive(Debug, Default)]
pub struct Prices {
    types: HashMap<String, HashMap<String, Kind>>,
    /// The names of the root types, for query, mutation and subscription.
    pub roots: [String; 3],
}

impl Prices {
    pub fn from_sdl(sdl: &str) -> Result<Self, Error> {
        let document = parse_schema(sdl)?;
        let (mut definitions, mut roots) = (Vec::new(), ["Query", "Mutation", "Subscription"].map(str::to_owned));
        for definition in &document.definitions {
            match definition {
                TypeSystemDefinition::Type(definition) => definitions.push(&definition.node),
                TypeSystemDefinition::Schema(schema) => {
                    let schema = &schema.node;
                    let named = [&schema.query, &schema.mutation, &schema.subscription];
                    for (root, named) in roots.iter_mut().zip(named) {
                        if let Some(named) = named {
                            *root = named.node.to_string();
                        }
                    }
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        let composite = definitions.iter().filter(|definition| is_composite(definition));
        let composite: Vec<&str> = composite.map(|definition| definition.name.node.as_str()).collect();
        let types = definitions.iter().filter_map(|definition| {
            let fields = fields(definition)?.iter().map(|field| {
                let field: &FieldDefinition = &field.node;
                (field.name.node.to_string(), kind(base(&field.ty.node.base), &composite))
            });
            Some((definition.name.node.to_string(), fields.collect()))
        });
        Ok(Self { types: types.collect(), roots })
    }

    /// `None` for what there is not: the validation names it.
    pub fn kind(&self, parent: &str, field: &str) -> Option<&Kind> {
        self.types.get(parent)?.get(field)
    }
}

fn is_composite(definition: &TypeDefinition) -> bool {
    matches!(definition.kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_))
}

fn fields(definition: &TypeDefinition) -> Option<&[async_graphql::Positioned<FieldDefinition>]> {
    match &definition.kind {
        TypeKind::Object(object) => Some(&object.fields),
        TypeKind::Interface(interface) => Some(&interface.fields),
        TypeKind::Union(_) | TypeKind::Scalar | TypeKind::Enum(_) | TypeKind::InputObject(_) => None,
    }
}

fn base(base_type: &BaseType) -> &str {
    match base_type {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base(&inner.base),
    }
}

fn kind(name: &str, composite: &[&str]) -> Kind {
    if !composite.contains(&name) {
        Kind::Leaf
    } else if name.ends_with("Connection") {
        Kind::Connection(name.to_owned())
    } else {
        Kind::Object(name.to_owned())
    }
}
