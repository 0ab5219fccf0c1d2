//! The exported schema is what the code says, and everything in it is described.

use async_graphql::parser::{
    parse_schema,
    types::{InterfaceType, ObjectType, TypeKind, TypeSystemDefinition},
};
use libtest_mimic::{Failed, Trial};

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("schema::schema_graphql_is_what_the_code_says", || {
            let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql"))?;
            let now = spotlight::graphql::sdl();
            if kept == now {
                return Ok(());
            }
            let line = kept.lines().zip(now.lines()).find(|(kept, now)| kept != now);
            Err(Failed::from(format!("run `cargo run -- schema > schema.graphql`; first difference: {line:?}")))
        }),
        Trial::test("schema::every_type_field_argument_and_value_is_described", || {
            let bare = undescribed(&spotlight::graphql::sdl())?;
            if bare.is_empty() { Ok(()) } else { Err(Failed::from(bare.join("\n"))) }
        }),
    ]
}

/// Everything that a description can stand on and does not.
fn undescribed(sdl: &str) -> Result<Vec<String>, Failed> {
    let mut bare = Vec::new();
    let mut look = |place: String, is_described: bool| {
        if !is_described {
            bare.push(place);
        }
    };
    for definition in parse_schema(sdl)?.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let (name, definition) = (definition.node.name.node.to_string(), definition.node);
        look(name.clone(), definition.description.is_some());
        match definition.kind {
            TypeKind::Object(ObjectType { fields, .. }) | TypeKind::Interface(InterfaceType { fields, .. }) => {
                for field in fields {
                    let (place, field) = (format!("{name}.{}", field.node.name.node), field.node);
                    look(place.clone(), field.description.is_some());
                    for argument in field.arguments {
                        look(format!("{place}({})", argument.node.name.node), argument.node.description.is_some());
                    }
                }
            }
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    look(format!("{name}.{}", field.node.name.node), field.node.description.is_some());
                }
            }
            TypeKind::Enum(values) => {
                for value in values.values {
                    look(format!("{name}.{}", value.node.value.node), value.node.description.is_some());
                }
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    Ok(bare)
}
