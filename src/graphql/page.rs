//! Relay connections.

use crate::{error::Result, page::Window};
use async_graphql::SimpleObject;

/// Where a page stands in its list.
#[derive(SimpleObject, Clone, Debug)]
pub struct PageInfo {
    /// Whether there is more behind the last edge.
    pub has_next_page: bool,
    /// Whether there is more before the first edge.
    pub has_previous_page: bool,
    /// The first edge's cursor; null on an empty page.
    pub start_cursor: Option<String>,
    /// The last edge's cursor; null on an empty page.
    pub end_cursor: Option<String>,
}

/// The four arguments of every connection, parsed.
pub fn window(first: Option<i32>, after: Option<String>, last: Option<i32>, before: Option<String>) -> Result<Window> {
    Window::parse(first, after.as_deref(), last, before.as_deref())
}

/// Declares a connection over a node: `edges`, `nodes`, `pageInfo`.
#[macro_export]
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $what:literal) => {
        #[doc = concat!("A page of ", $what, ".")]
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            /// The page's entries with their cursors.
            pub edges: Vec<$edge>,
            /// The page's entries alone.
            pub nodes: Vec<$node>,
            /// Where the page stands in the list.
            pub page_info: $crate::graphql::page::PageInfo,
        }

        #[doc = concat!("One of ", $what, " with its place in the list.")]
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// Give it as `after` or `before`.
            pub cursor: String,
            /// The entry.
            pub node: $node,
        }

        impl $connection {
            pub fn of<T: Clone>(page: $crate::page::Page<T>, node: impl Fn(T) -> $node) -> Self {
                let cursors: Vec<String> = page.items.iter().map(|(key, _)| key.encode()).collect();
                let page_info = $crate::graphql::page::PageInfo {
                    has_next_page: page.has_next,
                    has_previous_page: page.has_previous,
                    start_cursor: cursors.first().cloned(),
                    end_cursor: cursors.last().cloned(),
                };
                let nodes = page.items.iter().map(|(_, item)| node(item.clone())).collect();
                let edges = cursors
                    .into_iter()
                    .zip(page.items)
                    .map(|(cursor, (_, item))| $edge { cursor, node: node(item) })
                    .collect();
                Self { edges, nodes, page_info }
            }
        }
    };
}
