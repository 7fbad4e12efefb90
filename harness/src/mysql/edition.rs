//! In what `MySQL` and `MariaDB` differ.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{process, scratch, workspace};

/// Which of the two a server is. Implemented here only.
pub trait Edition: Copy + Debug + Send + Sync + 'static + private::Edition {}

/// `MySQL` 8.4 or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MySql {}

/// `MariaDB` 10.5 or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MariaDb {}

impl Edition for MySql {}
impl Edition for MariaDb {}

pub(super) mod private {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    pub trait Edition {
        const NAME: &'static str;
        /// What to do about a missing program.
        const INSTALL: &'static str;
        const SETTINGS: &'static [(&'static str, &'static str)];
        const WITHOUT_TLS: (&'static str, &'static str);

        /// Where the server program may be, the best place first.
        fn candidates() -> Vec<PathBuf>;

        /// Whether this is what the program says of itself with `--version`.
        fn is_version(text: &str) -> bool;

        /// Makes `folder/data`, with a password for `root@localhost` and no other account that
        /// could log in. `command` makes commands that run as the owner of `folder`.
        fn initialise(program: &Path, folder: &Path, command: &dyn Fn(&Path) -> Command);
    }
}

impl private::Edition for MySql {
    const NAME: &'static str = "MySQL";
    const INSTALL: &'static str = "fetch it with `./test --setup` (x86_64 and Debian or Ubuntu only), or name a MySQL 8.4 or \
         later server program in MYSQLD";
    const SETTINGS: &'static [(&'static str, &'static str)] = &[
        ("mysqlx", "OFF"),
        ("secure_file_priv", "NULL"),
        ("innodb_redo_log_capacity", "8M"),
        ("skip_log_bin", "ON"),
    ];
    // No version is allowed: the option `skip_ssl` has gone.
    const WITHOUT_TLS: (&'static str, &'static str) = ("tls_version", "");

    fn candidates() -> Vec<PathBuf> {
        let fetched = workspace::tools().join("mysql/bin/mysqld");
        places("MYSQLD", &[&fetched, Path::new("/usr/sbin/mysqld")])
    }

    fn is_version(text: &str) -> bool {
        !text.contains("MariaDB")
    }

    fn initialise(program: &Path, folder: &Path, command: &dyn Fn(&Path) -> Command) {
        let statements = format!("ALTER USER root@localhost IDENTIFIED BY '{ROOT_PASSWORD}';\n");
        let init_file = write_statements(folder, &statements);
        let mut mysqld = command(program);
        mysqld
            .args(["--no-defaults", "--initialize-insecure"])
            // Little to copy for each server.
            .args(["--innodb-redo-log-capacity=8M", "--skip-log-bin"])
            .arg(format!("--init-file={}", init_file.display()))
            .arg(format!("--datadir={}", folder.join("data").display()));
        scratch::run(&mut mysqld);
        // The server's identity; each copy makes its own.
        std::fs::remove_file(folder.join("data/auto.cnf")).expect("every data folder has one");
    }
}

impl private::Edition for MariaDb {
    const NAME: &'static str = "MariaDB";
    const INSTALL: &'static str = "install it with `./test --setup` or `apt-get install mariadb-server-core`, or name a \
         MariaDB 10.5 or later server program in MARIADBD";
    const SETTINGS: &'static [(&'static str, &'static str)] = &[("innodb_log_file_size", "8M")];
    const WITHOUT_TLS: (&'static str, &'static str) = ("ssl", "OFF");

    fn candidates() -> Vec<PathBuf> {
        // Debian's folder for servers is not on every user's PATH.
        places("MARIADBD", &[Path::new("/usr/sbin/mariadbd")])
    }

    fn is_version(text: &str) -> bool {
        text.contains("MariaDB")
    }

    fn initialise(program: &Path, folder: &Path, command: &dyn Fn(&Path) -> Command) {
        // A new data folder lets anonymous users in, and root from this machine's name.
        let statements = format!(
            "DELETE FROM mysql.global_priv WHERE NOT (Host = 'localhost' \
             AND User IN ('root', 'mariadb.sys'));\n\
             UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, \
             '$.plugin', 'mysql_native_password', \
             '$.authentication_string', PASSWORD('{ROOT_PASSWORD}')) WHERE User = 'root';\n"
        );
        let extra_file = write_statements(folder, &statements);
        let mut install_db = command(&beside(program, "mariadb-install-db"));
        install_db
            .args(["--no-defaults", "--force", "--skip-test-db"])
            .arg("--auth-root-authentication-method=normal")
            // Little to copy for each server.
            .arg("--innodb-log-file-size=8M")
            .arg(format!("--extra-file={}", extra_file.display()))
            .arg(format!("--datadir={}", folder.join("data").display()));
        scratch::run(&mut install_db);
    }
}

/// The password of `root@localhost`.
pub(super) const ROOT_PASSWORD: &str = "root-of-a-test-server";

/// The program that the variable names, else those of the paths, else one of that name on the PATH.
fn places(variable: &str, paths: &[&Path]) -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return vec![named.into()];
    }
    let on_path = process::search_path(OsStr::new(&variable.to_lowercase()));
    let paths = paths.iter().map(|&path| path.to_owned());
    paths.chain(on_path).collect()
}

/// A program of the same installation: `sbin/mariadbd` has the others in `bin`.
fn beside(program: &Path, name: &str) -> PathBuf {
    let folder = program.parent().expect("a program lies in a folder");
    let all = [folder.to_owned(), folder.with_file_name("bin")];
    let mut all = all.iter().map(|folder| folder.join(name));
    all.find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("there is no {name} beside {}", program.display()))
}

fn write_statements(folder: &Path, statements: &str) -> PathBuf {
    let file = folder.join("init.sql");
    std::fs::write(&file, statements).expect("the folder is writable");
    file
}

/// The server program of an edition, and what it says of its version.
///
/// # Panics
/// If there is none; the message says how to get it.
pub(super) fn find<E: Edition>() -> (PathBuf, String) {
    let found = E::candidates().into_iter().find_map(|program| {
        let answer = Command::new(&program).arg("--version").output().ok()?;
        let version = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
        (answer.status.success() && E::is_version(&version)).then_some((program, version))
    });
    found.unwrap_or_else(|| {
        let (name, install) = (E::NAME, E::INSTALL);
        panic!("a {name} server is needed and was not found: {install}")
    })
}
