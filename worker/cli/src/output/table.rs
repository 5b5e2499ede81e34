//! Tables for people.

use comfy_table::{CellAlignment, ContentArrangement, presets};

use super::escape;

/// A plain table: a head, rows, columns two blanks apart.
#[derive(Debug)]
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// An empty table with these column heads; those that start with `#` are aligned right.
    pub(crate) fn new(heads: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(heads.iter().map(|head| head.trim_start_matches('#')));
        for (index, head) in heads.iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                column.set_padding((0, 2));
                if head.starts_with('#') {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        Self(table)
    }

    /// Adds a row; every cell is made safe for a terminal.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.0
            .add_row(cells.into_iter().map(|cell| escape::line(cell.as_ref())));
    }

    /// The table as text without blanks at the ends of lines.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for line in self.0.lines() {
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}
