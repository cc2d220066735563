//! Tables in a terminal: columns as wide as they need, the widest cut where the terminal ends.

use unicode_width::UnicodeWidthStr;

use super::fit::{fit, fit_right};
use super::look::{BOLD, DIM, Look};
use crate::table::Table;

/// No column is cut to less; the shorter of them only if that is not enough, for a time cut short is none.
const LEAST: [usize; 2] = [19, 8];

pub(crate) fn draw(table: &Table, look: Look) -> String {
    let mut wide: Vec<usize> = table.columns.iter().map(|(name, _)| name.width()).collect();
    for row in &table.rows {
        for (wide, text) in wide.iter_mut().zip(row) {
            *wide = (*wide).max(text.width());
        }
    }
    let gaps = 2 * wide.len().saturating_sub(1);
    for least in LEAST {
        while wide.iter().sum::<usize>() + gaps > look.width
            && let Some(widest) = wide.iter_mut().max().filter(|widest| **widest > least)
        {
            *widest -= 1;
        }
    }
    let line = |texts: &mut dyn Iterator<Item = &String>| {
        let cells = texts.zip(&wide).zip(&table.columns).map(|((text, wide), (_, right))| {
            let text = text.replace(['\n', '\r', '\t'], " ");
            if *right { fit_right(&text, *wide) } else { fit(&text, *wide) }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    let mut out = vec![look.paint(&line(&mut table.columns.iter().map(|(name, _)| name)), BOLD)];
    out.push(look.paint(&wide.iter().map(|wide| "─".repeat(*wide)).collect::<Vec<_>>().join("  "), DIM));
    out.extend(table.rows.iter().map(|row| line(&mut row.iter())));
    out.extend(table.rest().map(|rest| look.paint(&rest, DIM)));
    out.join("\n")
}
