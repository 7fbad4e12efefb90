//! A whole rotation of a PostgreSQL role: four invocations, an emulated Secrets Manager, a real server over TLS.

use std::time::Duration;

use harness::postgres::PostgresServer;
use harness::proxy::HttpProxy;
use harness::secrets_manager::Moto;
use serde_json::json;

use crate::function::{Function, Program};
use crate::peer::Python;
use crate::settings;
use crate::spread::Spread;

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// Of one program, over several rotations.
#[derive(Debug)]
pub(crate) struct Rotations {
    pub(crate) name: String,
    /// Each step in a process of its own, from exec to its answer.
    pub(crate) cold: Times,
    /// All steps in one process that has run before.
    pub(crate) warm: Times,
    /// Calls to Secrets Manager.
    pub(crate) calls: Spread,
    /// Connections to the database.
    pub(crate) connections: Spread,
}

/// Milliseconds of the four invocations together.
#[derive(Debug)]
pub(crate) struct Times {
    pub(crate) wall: Spread,
    /// Of the function's process; without those of the server and of the emulator.
    pub(crate) cpu: Spread,
}

struct Stage {
    postgres: PostgresServer,
    moto: Moto,
    proxy: HttpProxy,
    /// How many rotations were begun: each has a token of its own.
    begun: u32,
}

#[derive(Debug, Default)]
struct Measured {
    wall: [Vec<f64>; 2],
    cpu: [Vec<f64>; 2],
    calls: Vec<f64>,
    connections: Vec<f64>,
}

/// Rotates with our function and with the Python peer, taking turns.
pub(crate) async fn measure(rounds: u32) -> Vec<Rotations> {
    let (postgres, moto) = tokio::join!(
        PostgresServer::builder()
            .setting("log_connections", "on")
            .start(),
        Moto::start(),
    );
    let proxy = HttpProxy::start(moto.endpoint()).await;
    let ca = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(ca.path(), postgres.ca_pem()).expect("it is writable");
    let ca_file = ca.path().display().to_string();
    let programs = [
        settings::program("rotate_postgres", &proxy.endpoint()),
        Python::installed().program(&proxy.endpoint(), &[("PGSSLROOTCERT", &ca_file)]),
    ];
    let mut stage = Stage {
        postgres,
        moto,
        proxy,
        begun: 0,
    };
    let mut secrets = Vec::new();
    for n in 0..programs.len() {
        secrets.push(stage.secret(&format!("app{n}")).await);
    }
    let mut measured = [Measured::default(), Measured::default()];
    // The first round fills caches and counts nothing.
    for round in 0..=rounds {
        for (n, program) in programs.iter().enumerate() {
            let mut own = Measured::default();
            stage.cold(program, &secrets[n], &mut own).await;
            stage.warm(program, &secrets[n], &mut own).await;
            if round > 0 {
                measured[n].add(own);
            }
        }
    }
    let each = programs.into_iter().zip(measured);
    each.map(|(program, measured)| measured.of(program.name))
        .collect()
}

impl Stage {
    /// A role and a secret with its password; the secret's ARN.
    async fn secret(&self, role: &str) -> String {
        let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'the first one'");
        let admin = self.postgres.admin().await;
        admin.batch_execute(&create).await.expect("a new role");
        let value = json!({
            "engine": "postgres", "host": self.postgres.host(), "port": self.postgres.port(),
            "dbname": "postgres", "username": role, "password": "the first one",
            "ca_certificate": self.postgres.ca_pem(),
        });
        let secrets = self.moto.client();
        secrets.create_secret(role, &value.to_string()).await
    }

    async fn begin(&mut self, secret: &str) -> String {
        self.begun += 1;
        let token = format!("00000000-0000-0000-0000-{:012}", self.begun);
        self.moto.client().begin_rotation(secret, &token).await;
        self.proxy.reset();
        token
    }

    async fn cold(&mut self, program: &Program, secret: &str, measured: &mut Measured) {
        let token = self.begin(secret).await;
        let (mut wall, mut cpu) = (Duration::ZERO, Duration::ZERO);
        for step in STEPS {
            let event = json!({"Step": step, "SecretId": secret, "ClientRequestToken": token});
            let mut function = Function::start(program);
            let (_, since_start) = function.succeed(&event);
            wall += since_start;
            cpu += function.cpu();
        }
        measured.wall[0].push(milliseconds(wall));
        measured.cpu[0].push(milliseconds(cpu));
    }

    /// A first rotation warms the process up, the second one counts.
    async fn warm(&mut self, program: &Program, secret: &str, measured: &mut Measured) {
        let mut function = Function::start(program);
        for counts in [false, true] {
            let token = self.begin(secret).await;
            let connections = self.connections();
            let before = function.cpu();
            let mut wall = Duration::ZERO;
            for step in STEPS {
                let event = json!({"Step": step, "SecretId": secret, "ClientRequestToken": token});
                wall += function.succeed(&event).0;
            }
            if counts {
                measured.wall[1].push(milliseconds(wall));
                measured.cpu[1].push(milliseconds(function.cpu().saturating_sub(before)));
                measured.calls.push(count(self.proxy.operations().len()));
                measured
                    .connections
                    .push(count(self.connections() - connections));
            }
        }
    }

    /// How many connections the server has taken from others than its superuser, who comes over the socket.
    fn connections(&self) -> usize {
        let log = self.postgres.log();
        log.matches("connection received: host=127.0.0.1").count()
    }
}

impl Measured {
    fn add(&mut self, other: Self) {
        for (own, more) in self.wall.iter_mut().zip(other.wall) {
            own.extend(more);
        }
        for (own, more) in self.cpu.iter_mut().zip(other.cpu) {
            own.extend(more);
        }
        self.calls.extend(other.calls);
        self.connections.extend(other.connections);
    }

    fn of(self, name: String) -> Rotations {
        let [cold_wall, warm_wall] = self.wall.map(Spread::of);
        let [cold_cpu, warm_cpu] = self.cpu.map(Spread::of);
        Rotations {
            name,
            cold: Times {
                wall: cold_wall,
                cpu: cold_cpu,
            },
            warm: Times {
                wall: warm_wall,
                cpu: warm_cpu,
            },
            calls: Spread::of(self.calls),
            connections: Spread::of(self.connections),
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}
