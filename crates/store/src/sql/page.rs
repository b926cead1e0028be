//! A query for one page of a list: conditions as they are asked for, and every
//! value of them bound.

use crate::LIST_ROWS_MAX;
use crate::error::Error;
use crate::folded::Needles;
use crate::lists::{Page, Window};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, AssertSqlSafe, Row};

/// Conditions, in the words of this crate only, and the values they ask for.
#[derive(Default)]
pub(super) struct Ask {
    conditions: Vec<String>,
    values: Vec<Asked>,
}

pub(super) enum Asked {
    Number(i64),
    Text(String),
}

impl From<i64> for Asked {
    fn from(number: i64) -> Self {
        Asked::Number(number)
    }
}

impl From<&str> for Asked {
    fn from(text: &str) -> Self {
        Asked::Text(text.to_owned())
    }
}

impl Ask {
    /// A condition without a value.
    pub(super) fn also(&mut self, condition: &'static str) {
        self.conditions.push(condition.to_owned());
    }

    /// A condition in which `?` stands for a value.
    pub(super) fn that(&mut self, condition: &'static str, value: impl Into<Asked>) {
        let place = self.place(value.into());
        self.conditions.push(condition.replace('?', &place));
    }

    pub(super) fn search(&mut self, needles: &Needles) {
        for pattern in needles.patterns() {
            self.that("search LIKE ? ESCAPE '!'", &*pattern);
        }
    }

    pub(super) fn conditions(&self) -> String {
        if self.conditions.is_empty() { "1 = 1".to_owned() } else { self.conditions.join(" AND ") }
    }

    pub(super) fn window(&mut self, window: Window) -> String {
        let limit = self.place(Asked::Number(window.limit.min(LIST_ROWS_MAX).into()));
        let offset = self.place(Asked::Number(window.offset.into()));
        format!("LIMIT {limit} OFFSET {offset}")
    }

    pub(super) async fn rows(self, pool: &AnyPool, sql: String) -> Result<Vec<AnyRow>, Error> {
        // Put together from the literals of this crate.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in self.values {
            query = match value {
                Asked::Number(number) => query.bind(number),
                Asked::Text(text) => query.bind(text),
            };
        }
        Ok(query.fetch_all(pool).await?)
    }

    /// Rows and total of one moment: `total` is in each row, and one row is
    /// there always; on an empty page `present` is NULL in it.
    pub(super) async fn page<T>(
        self,
        pool: &AnyPool,
        sql: String,
        read: impl Fn(&AnyRow) -> Result<T, Error>,
    ) -> Result<Page<T>, Error> {
        let mut page = Page { rows: Vec::new(), total: 0 };
        for row in self.rows(pool, sql).await? {
            page.total = row.try_get::<i64, _>("total")?.cast_unsigned();
            if row.try_get::<Option<i64>, _>("present")?.is_some() {
                page.rows.push(read(&row)?);
            }
        }
        Ok(page)
    }

    fn place(&mut self, value: Asked) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}
