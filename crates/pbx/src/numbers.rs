//! Which numbers are taken in the PBX, by anything that can be dialled.

use crate::client::Pbx;
use crate::error::Error;
use crate::wire::Call;
use reconcile::TakenNumber;
use serde::Deserialize;

#[derive(Deserialize)]
struct Extension {
    number: Number,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    callerid: Option<String>,
}

/// Text, but for rows of modules that keep their numbers as such.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Integer(u64),
}

impl Pbx {
    /// Every taken number, in order. System names such as `hangup` are among
    /// them.
    pub async fn numbers(&self) -> Result<Vec<TakenNumber>, Error> {
        let rows: Vec<Extension> = self.call(&Call::get("extensions", "read the taken numbers")).await?;
        let mut numbers: Vec<TakenNumber> = rows
            .into_iter()
            .map(|row| TakenNumber {
                number: match row.number {
                    Number::Text(number) => number.into(),
                    Number::Integer(number) => number.to_string().into(),
                },
                kind: row.kind.unwrap_or_default().into(),
                holder: row.callerid.unwrap_or_default().into(),
            })
            .collect();
        numbers.sort_by(|a, b| a.number.cmp(&b.number));
        Ok(numbers)
    }

    /// Who has this number, told from the list, because the two refusals of
    /// the PBX are translated. A sign-in that may not read the list still
    /// learns of employees.
    pub(crate) async fn holder(&self, number: &str) -> Result<Option<String>, Error> {
        match self.numbers().await {
            Ok(numbers) => Ok(numbers.into_iter().find(|taken| *taken.number == *number).map(describe)),
            Err(Error::NotPermitted { .. }) => {
                let employee = self.find(number).await?;
                Ok(employee.map(|employee| format!("employee {}", employee.id)))
            }
            Err(error) => Err(error),
        }
    }
}

fn describe(taken: TakenNumber) -> String {
    match (&*taken.holder, &*taken.kind) {
        ("", "") => "something else".to_owned(),
        ("", kind) => kind.to_owned(),
        (holder, kind) => format!("{holder} ({kind})"),
    }
}
