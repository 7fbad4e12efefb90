//! A read replica: streaming replication (`PostgreSQL` manual, "Log-Shipping Standby Servers").

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;

use super::PostgresServer;
use super::server::daemon;
use crate::{port, process, scratch};

impl PostgresServer {
    /// A read replica of this server, which is restarted for it. Its certificate holds these names, and is
    /// of the same authority.
    ///
    /// # Panics
    /// If one of both does not answer within 20 s.
    pub async fn standby(&self, names: &[&str]) -> Self {
        self.stop().await;
        let hba = self.folder.path().join("data/pg_hba.conf");
        let mut hba = OpenOptions::new()
            .append(true)
            .open(hba)
            .expect("every cluster has one");
        hba.write_all(b"local replication all trust\n")
            .expect("the folder is writable");

        let (from, account) = (self.folder.path().join("data"), self.account);
        let folder = process::blocking(move || {
            let folder = scratch::server_folder("postgres", account);
            scratch::copy(&from, account, &folder.path().join("data"));
            folder
        })
        .await;
        let mut standby = Self {
            install: self.install.clone(),
            account,
            ca: Arc::clone(&self.ca),
            port: 0,
            daemon: daemon(),
            folder,
        };
        let primary = format!(
            "host={} port={} user=postgres",
            self.folder.path().display(),
            self.port
        );
        standby.certify(names);
        let own = standby.folder.path().display().to_string();
        standby.configure([
            ("unix_socket_directories", own.as_str()),
            ("primary_conninfo", primary.as_str()),
        ]);
        let signal = standby.folder.path().join("data/standby.signal");
        std::fs::write(signal, "").expect("the folder is writable");
        self.start_again().await;
        standby.port =
            port::first_free("PostgreSQL", async |port| standby.launch(port).await).await;
        standby
    }
}
