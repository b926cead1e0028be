//! The fence: what a run stores, it stores under the lease of its directory,
//! and the lease is looked at in the same transaction. A process that slept
//! for longer than its lease learns of its successor here, before it writes.

use super::{Engine, SqlStore};
use crate::error::Error;
use crate::rows::{By, DirectoryId, RunId};
use sqlx::{Any, AnyConnection, Row, Transaction};

impl SqlStore {
    /// Begins to store something on somebody's behalf. The directory it is
    /// about comes along.
    pub(super) async fn begin_by(&self, by: By) -> Result<(Transaction<'static, Any>, DirectoryId), Error> {
        let mut tx = self.begin().await?;
        let directory = match by {
            By::Hand(directory) => directory,
            By::Run(run) => self.under_lease_of(&mut tx, run).await?,
        };
        Ok((tx, directory))
    }

    /// The directory of a run that still holds its lease.
    pub(super) async fn under_lease_of(
        &self,
        connection: &mut AnyConnection,
        run: RunId,
    ) -> Result<DirectoryId, Error> {
        let row = sqlx::query("SELECT directory, directory_name, holder FROM run WHERE id = $1");
        let row = row.bind(run.0).fetch_optional(&mut *connection).await?;
        let row = row.ok_or_else(|| Error::missing("run", run))?;
        let directory = DirectoryId(row.try_get("directory")?);
        match self.holds_lease(connection, directory, row.try_get("holder")?).await? {
            true => Ok(directory),
            false => Err(Error::LeaseLost(row.try_get("directory_name")?)),
        }
    }

    /// Whether this holder has the lease, which nobody can take before the
    /// transaction ends.
    pub(super) async fn holds_lease(
        &self,
        connection: &mut AnyConnection,
        directory: DirectoryId,
        holder: &str,
    ) -> Result<bool, Error> {
        let row = sqlx::query(match self.engine {
            // The transaction is the only one that writes.
            Engine::Sqlite => "SELECT until_ms FROM lease WHERE directory = $1 AND holder = $2",
            Engine::Postgres => "SELECT until_ms FROM lease WHERE directory = $1 AND holder = $2 FOR SHARE",
        });
        Ok(row.bind(directory.0).bind(holder).fetch_optional(connection).await?.is_some())
    }
}
