//! What differs between the databases when a table is made: times, long texts, character sets.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Makes tables and indexes on whatever database this is.
pub struct Build<'a> {
    manager: &'a SchemaManager<'a>,
}

impl<'a> Build<'a> {
    pub const fn on(manager: &'a SchemaManager<'a>) -> Self {
        Self { manager }
    }

    fn is_mysql(&self) -> bool {
        self.manager.get_database_backend() == DbBackend::MySql
    }

    /// A table whose texts compare byte by byte: keys and codes that differ in case are different everywhere.
    pub fn table(&self, name: &'static str) -> TableCreateStatement {
        let mut table = Table::create();
        table.table(name);
        if self.is_mysql() {
            table.engine("InnoDB").character_set("utf8mb4").collate("utf8mb4_bin");
        }
        table
    }

    /// Every reference is by `id`, except that of what belongs to a table with another key.
    pub fn references(
        &self,
        table: &mut TableCreateStatement,
        from: &'static str,
        column: &'static str,
        to: &'static str,
    ) {
        table.foreign_key(ForeignKey::create().name(format!("{from}_{column}_fkey")).from(from, column).to(to, "id"));
    }

    pub async fn create(&self, table: TableCreateStatement) -> Result<(), DbErr> {
        self.manager.create_table(table).await
    }

    pub async fn unique(&self, name: &str, table: &'static str, columns: &[&'static str]) -> Result<(), DbErr> {
        self.add_index(name, table, columns, true).await
    }

    pub async fn index(&self, name: &str, table: &'static str, columns: &[&'static str]) -> Result<(), DbErr> {
        self.add_index(name, table, columns, false).await
    }

    async fn add_index(
        &self,
        name: &str,
        table: &'static str,
        columns: &[&'static str],
        is_unique: bool,
    ) -> Result<(), DbErr> {
        let mut index = Index::create();
        index.name(name).table(table);
        for column in columns {
            index.col(*column);
        }
        if is_unique {
            index.unique();
        }
        self.manager.create_index(index).await
    }

    pub async fn drop(&self, table: &'static str) -> Result<(), DbErr> {
        self.manager.drop_table(Table::drop().table(table).to_owned()).await
    }
}

/// The kinds of columns that the tables are made of.
pub struct Columns {
    is_mysql: bool,
}

impl Columns {
    pub fn of(build: &Build<'_>) -> Self {
        Self { is_mysql: build.is_mysql() }
    }

    pub fn uuid(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).uuid().to_owned()
    }

    pub fn string(&self, name: &'static str, length: u32) -> ColumnDef {
        ColumnDef::new(name).string_len(length).to_owned()
    }

    /// MySQL's `text` ends at 64 KiB, which 20,000 Korean characters exceed.
    pub fn text(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        if self.is_mysql { column.custom("mediumtext") } else { column.text() }.to_owned()
    }

    /// Microseconds everywhere; MySQL's `timestamp` has whole seconds and ends in 2038.
    pub fn time(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        if self.is_mysql { column.custom("datetime(6)") } else { column.timestamp_with_time_zone() }.to_owned()
    }

    pub fn big(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).big_integer().to_owned()
    }

    pub fn int(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).integer().to_owned()
    }

    pub fn flag(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).boolean().to_owned()
    }

    pub fn date(&self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).date().to_owned()
    }
}
