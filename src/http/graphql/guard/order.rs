//! Fragments in an order in which each comes after those that it spreads.

use async_graphql::{
    Name, Positioned,
    parser::types::{FragmentDefinition, Selection, SelectionSet},
};
use std::collections::{HashMap, HashSet};

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// `Err` names a fragment that spreads itself, directly or through others (or one that spreads such a fragment).
pub fn dependencies_first(fragments: &Fragments) -> Result<Vec<&Name>, &Name> {
    let mut waits_for: HashMap<&Name, usize> = HashMap::new();
    let mut spread_by: HashMap<&Name, Vec<&Name>> = HashMap::new();
    for (name, fragment) in fragments {
        let mut spreads = HashSet::new();
        collect(&fragment.node.selection_set.node, &mut spreads);
        spreads.retain(|spread| fragments.contains_key(*spread));
        waits_for.insert(name, spreads.len());
        for spread in spreads {
            spread_by.entry(spread).or_default().push(name);
        }
    }
    let mut order: Vec<&Name> = waits_for.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut done = 0;
    while let Some(name) = order.get(done).copied() {
        done += 1;
        for waiting in spread_by.remove(name).unwrap_or_default() {
            if let Some(count) = waits_for.get_mut(waiting) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    order.push(waiting);
                }
            }
        }
    }
    match waits_for.into_iter().filter(|(_, count)| *count > 0).map(|(name, _)| name).min() {
        Some(circular) => Err(circular),
        None => Ok(order),
    }
}

/// Recurses as deeply as the text is nested, which was bounded before.
fn collect<'a>(set: &'a SelectionSet, spreads: &mut HashSet<&'a Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => collect(&field.node.selection_set.node, spreads),
            Selection::InlineFragment(inline) => collect(&inline.node.selection_set.node, spreads),
            Selection::FragmentSpread(spread) => {
                spreads.insert(&spread.node.fragment_name.node);
            }
        }
    }
}
