//! The Python peer: the same rotation with boto3 and psycopg2, under a loop over the same Runtime API.

use std::path::PathBuf;

use crate::function::Program;
use crate::settings;

/// Its environment, as `run` has made it.
#[derive(Debug)]
pub(crate) struct Python {
    python: PathBuf,
    code: PathBuf,
}

impl Python {
    /// # Panics
    /// If it is not there.
    pub(crate) fn installed() -> Self {
        let python = settings::root().join("target/bench-python/bin/python");
        assert!(
            python.is_file(),
            "{} is missing: run benches/run",
            python.display()
        );
        Self {
            python,
            code: settings::root().join("benches/functions/python"),
        }
    }

    pub(crate) fn program(&self, secrets_manager: &str, env: &[(&str, &str)]) -> Program {
        let mut all = vec![(
            "SECRETS_MANAGER_ENDPOINT".to_owned(),
            secrets_manager.to_owned(),
        )];
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        all.extend(env.iter().map(owned));
        Program {
            name: "Python with boto3".to_owned(),
            command: vec![
                self.python.display().to_string(),
                self.code.join("runtime.py").display().to_string(),
            ],
            env: all,
        }
    }

    /// What a package of it holds: the code and the driver. boto3 comes with Lambda's own runtime.
    pub(crate) fn packed(&self) -> Vec<PathBuf> {
        let library = self
            .python
            .ancestors()
            .nth(2)
            .map(|folder| folder.join("lib"));
        let versions = library.and_then(|library| std::fs::read_dir(library).ok());
        let site = versions.into_iter().flatten().flatten();
        let site = site.map(|version| version.path().join("site-packages"));
        let drivers =
            site.flat_map(|site| ["psycopg2", "psycopg2_binary.libs"].map(|it| site.join(it)));
        let mut packed: Vec<_> = drivers.filter(|folder| folder.is_dir()).collect();
        assert!(
            !packed.is_empty(),
            "psycopg2 is not installed: run benches/run"
        );
        packed.push(self.code.join("handler.py"));
        packed
    }
}
