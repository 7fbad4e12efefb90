//! Where RDS is asked whose admin's secret it manages.

use rotators::mysql::MySqlSettings;
use rotators::postgres::PostgresSettings;
use rotators::rds::{AdminServers, RdsSettings};
use rotators::sqlserver::SqlServerSettings;

use super::iam::service_url;
use crate::environment::Environment;

/// Amazon RDS tells the server of an admin's secret that it manages; `AWS_ENDPOINT_URL_RDS`, the variable of
/// AWS's own SDKs, is the address of a VPC endpoint, and optional. The region and the credentials of the role
/// are those of Secrets Manager.
pub fn admin_servers(env: &mut Environment) -> AdminServers {
    let mut settings = RdsSettings::new(super::aws(env));
    settings.url = service_url(env, "AWS_ENDPOINT_URL_RDS");
    AdminServers::of_rds(settings)
}

/// [`postgres`](super::postgres()), and where the server of an admin is asked for.
pub fn postgres_with_admins(env: &mut Environment) -> Option<PostgresSettings> {
    let admin_servers = admin_servers(env);
    let mut settings = super::postgres(env)?;
    settings.admin_servers = admin_servers;
    Some(settings)
}

/// [`mysql`](super::mysql()), and where the server of an admin is asked for.
pub fn mysql_with_admins(env: &mut Environment) -> Option<MySqlSettings> {
    let admin_servers = admin_servers(env);
    let mut settings = super::mysql(env)?;
    settings.admin_servers = admin_servers;
    Some(settings)
}

/// [`sqlserver`](super::sqlserver()), and where the server of an admin is asked for.
pub fn sqlserver_with_admins(env: &mut Environment) -> Option<SqlServerSettings> {
    let admin_servers = admin_servers(env);
    let mut settings = super::sqlserver(env)?;
    settings.admin_servers = admin_servers;
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &'static str) -> Result<AdminServers, String> {
        let mut env = Environment::from(move |name: &str| {
            let value = match name {
                "AWS_REGION" => "eu-west-1",
                "AWS_ACCESS_KEY_ID" => "ASIA",
                "AWS_SECRET_ACCESS_KEY" => "sentinel",
                "AWS_ENDPOINT_URL_RDS" => url,
                _ => return None,
            };
            Some(value.to_owned())
        });
        let servers = admin_servers(&mut env);
        let read = env.finish(Some(servers));
        read.map_err(|fault| fault.to_string())
    }

    #[test]
    fn rds_is_asked_in_the_functions_region_or_at_its_endpoint() {
        let shown = format!("{:?}", read("").expect("servers"));
        assert!(
            shown.contains("eu-west-1") && shown.contains("url: None"),
            "{shown}"
        );
        let endpoint = "https://vpce-0a.rds.eu-west-1.vpce.amazonaws.com";
        let shown = format!("{:?}", read(endpoint).expect("servers"));
        assert!(shown.contains(endpoint), "{shown}");
        let fault = read("http://rds.example/sentinel").expect_err("not protected");
        assert!(
            fault.starts_with("`AWS_ENDPOINT_URL_RDS` must be a URL"),
            "{fault}"
        );
        assert!(!fault.contains("sentinel"), "{fault}");
    }
}
