//! The exported schema is what the code says, and everything in it is described.

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
        Trial::test("schema::every_type_and_field_is_described", || {
            let bare = undescribed(&spotlight::graphql::sdl());
            if bare.is_empty() { Ok(()) } else { Err(Failed::from(bare.join("\n"))) }
        }),
    ]
}

/// Types and fields whose line does not follow the end of a description. Arguments of a field stand on its own line.
fn undescribed(sdl: &str) -> Vec<String> {
    let mut bare = Vec::new();
    let (mut is_described, mut is_inside, mut owner) = (false, false, String::new());
    for line in sdl.lines() {
        let text = line.trim();
        if text.starts_with("\"\"\"") {
            let is_one_line = text.len() > 3 && text.ends_with("\"\"\"");
            is_inside = !is_one_line && !is_inside;
            is_described = !is_inside;
            continue;
        }
        if is_inside || text.is_empty() || text == "}" {
            continue;
        }
        let is_type = ["type ", "input ", "enum ", "interface ", "scalar ", "union "].iter().any(|kind| text.starts_with(kind));
        let is_known = ["directive ", "schema ", "query:", "mutation:", "subscription:", "extend "].iter().any(|word| text.starts_with(word));
        if is_type {
            text.clone_into(&mut owner);
        }
        let is_builtin = text.contains("specifiedBy") || owner.starts_with("scalar");
        if !is_described && !is_known && !is_builtin {
            bare.push(format!("{owner} {text}"));
        }
        is_described = false;
    }
    bare
}
