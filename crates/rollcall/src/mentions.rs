//! What the PBX says of the number of somebody who left: who answers it, and
//! where its calls go on to. Looked up when somebody asks.
//!
//! Deliberately absent: routes, queues, menus, and forwardings of others. Each
//! is told only where it is made, and reading every record for one number
//! would use up the requests that synchronising needs. The PBX itself refuses
//! to delete an employee whom one of them leads to, and names it.

use crate::app::{App, pbx_settings};
use crate::cli::errors::describe;
use anyhow::Result;
use pbx::Forwarding;
use reconcile::{EmployeeId, Link, TakenNumber};
use store::DirectoryRow;

/// What is known, or why it is not.
pub type Told<T> = Result<T, String>;

#[derive(Debug)]
pub struct Mentions {
    /// Whatever has the number now; none: nothing has.
    pub holder: Told<Option<TakenNumber>>,
    /// Where the employee's calls go on to; none: the employee is gone.
    pub forwarding: Told<Option<Forwarding>>,
}

/// Asks the PBX; what it does not say is said by each part.
pub async fn of(app: &App, row: &DirectoryRow, link: &Link, number: &str) -> Mentions {
    let pbx = match app.pbx(row.pbx).await {
        Ok(pbx) => pbx,
        Err(error) => {
            let why = describe(&error);
            return Mentions { holder: Err(why.clone()), forwarding: Err(why) };
        }
    };
    let told = |error: pbx::Error| describe(&error.into());
    let holder = pbx.numbers().await.map_err(told);
    let record = pbx.record(link.employee, None).await.map_err(told);
    Mentions {
        holder: holder.map(|all| all.into_iter().find(|taken| *taken.number == *number)),
        forwarding: record.map(|record| record.map(|record| record.forwarding)),
    }
}

/// The page of an employee in the web interface of the PBX. Its loopback
/// address means nothing to a browser, which came to this machine by `host`.
pub async fn employee_page(
    app: &App,
    row: &DirectoryRow,
    employee: EmployeeId,
    host: Option<&str>,
) -> Result<Option<String>> {
    let pbxes = app.store.pbxes().await?;
    let Some(pbx) = pbxes.iter().find(|pbx| pbx.id == row.pbx && !pbx.settings.is_null()) else {
        return Ok(None);
    };
    let origin = origin(&pbx_settings(pbx)?.url, host);
    Ok(origin.map(|origin| format!("{origin}/admin-cabinet/extensions/modify/{employee}")))
}

fn origin(url: &str, host: Option<&str>) -> Option<String> {
    let url: http::Uri = url.parse().ok()?;
    let scheme = url.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
    let host: Option<http::uri::Authority> = host.and_then(|host| host.parse().ok());
    let own = url.host()?;
    let is_loopback = own == "localhost" || own == "[::1]" || own.starts_with("127.");
    let name = host.as_ref().filter(|_| is_loopback).map_or(own, |host| host.host());
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{name}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_led_to_where_it_can_go() {
        let at = |url, host| origin(url, host).unwrap();
        assert_eq!(at("https://pbx.example.org", Some("rollcall.example.org")), "https://pbx.example.org");
        assert_eq!(at("https://pbx.example.org:8443/", None), "https://pbx.example.org:8443");
        assert_eq!(at("http://127.0.0.1", Some("10.0.0.5:8389")), "http://10.0.0.5");
        assert_eq!(at("http://127.0.0.1:8081", Some("[fe80::1]:8389")), "http://[fe80::1]:8081");
        assert_eq!(at("http://127.0.0.1:8081", Some("evil\"><script>")), "http://127.0.0.1:8081");
        assert_eq!(at("http://127.0.0.1:8081", None), "http://127.0.0.1:8081");
        assert_eq!(origin("javascript:alert(1)", None), None);
    }
}
