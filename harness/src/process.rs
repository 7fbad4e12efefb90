//! Child processes that die with this one and whose output can be read at any time.

use std::ffi::OsStr;
use std::fs::File;
use std::future::poll_fn;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::user::Account;

/// How long a killed process may take to disappear.
const DEATH: Duration = Duration::from_secs(5);

/// A command that runs `program` as `account` and gets the signal when this process dies.
pub(crate) fn command(program: &Path, account: Account, death_signal: &str) -> Command {
    let mut command = Command::new(setpriv());
    command
        .arg(format!("--pdeathsig={death_signal}"))
        .args(account.setpriv_options())
        .arg("--")
        .arg(program)
        // The own folder may be closed to the other account.
        .current_dir("/");
    command
}

/// The full path of `setpriv`: a command with an empty environment has no PATH to find it by.
fn setpriv() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        search_path(OsStr::new("setpriv")).expect("`setpriv` is needed: apt-get install util-linux")
    })
}

/// The first program of that name on the PATH.
pub(crate) fn search_path(program: &OsStr) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Runs work that blocks on a thread for such work; a panic there is one here.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A running child process; killed on drop.
#[derive(Debug)]
pub(crate) struct Process {
    shared: Arc<Shared>,
    output: File,
}

#[derive(Debug)]
struct Shared {
    child: Mutex<Child>,
    exit: watch::Sender<Option<ExitStatus>>,
}

impl Process {
    /// Starts the command.
    pub(crate) fn spawn(mut command: Command) -> Self {
        // A file instead of pipes: what the child has written is there the moment it has written
        // it, with no reader that could lag behind. It has no name and vanishes by itself.
        let output = tempfile::tempfile().expect("temporary files can be made");
        let copy = || output.try_clone().expect("file handles can be copied");
        command
            .stdin(Stdio::null())
            .stdout(copy())
            .stderr(copy())
            .kill_on_drop(true);
        let child = on_spawner_thread(move || {
            let shown = format!("{:?}", command.as_std());
            command
                .spawn()
                .unwrap_or_else(|error| panic!("cannot run {shown}: {error}"))
        });
        let shared = Arc::new(Shared {
            child: Mutex::new(child),
            exit: watch::Sender::new(None),
        });
        tokio::spawn(watch_exit(Arc::clone(&shared)));
        Self { shared, output }
    }

    /// What the process has written to its standard output and standard error so far.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&self.output_from(0)).into_owned()
    }

    /// The same, from this byte on.
    pub(crate) fn output_from(&self, start: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 8192];
        // Read by position: the child shares the handle's cursor for its writes.
        while let Ok(length @ 1..) = (self.output).read_at(&mut buffer, start + bytes.len() as u64)
        {
            bytes.extend_from_slice(&buffer[..length]);
        }
        bytes
    }

    /// Ends when the process has.
    pub(crate) async fn exited(&self) -> ExitStatus {
        let mut exit = self.shared.exit.subscribe();
        let status = exit.wait_for(Option::is_some).await;
        let status = status.expect("the sender is in self");
        status.expect("waited for it")
    }

    /// The exit status, if the process has ended.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        let status = self.shared.lock().try_wait().ok().flatten();
        if status.is_some() {
            // The watcher is not told of a child that is reaped here.
            self.shared.exit.send_replace(status);
        }
        status
    }

    /// Kills the process (SIGKILL) without waiting for its end.
    pub(crate) fn kill(&self) {
        // An error means that it has ended already.
        let _ = self.shared.lock().start_kill();
    }

    /// Sends a signal by name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let mut child = self.shared.lock();
        // While the lock is held nobody reaps the child, so its number cannot be another's.
        if let (Ok(None), Some(id)) = (child.try_wait(), child.id()) {
            let sent = std::process::Command::new("/bin/sh")
                .args(["-c", "kill -s \"$0\" \"$1\"", name, &id.to_string()])
                .output();
            drop(sent.expect("a shell exists"));
        }
    }

    /// Blocks until the process has ended; false if it has not by then.
    pub(crate) fn wait_blocking(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.status().is_none() {
            if Instant::now() > deadline {
                return false;
            }
            // There is no blocking wait with a deadline in the standard library.
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        self.wait_blocking(DEATH);
    }
}

/// Publishes the exit status. The lock is held while polling only, so that others can kill.
async fn watch_exit(shared: Arc<Shared>) {
    let mut exit = shared.exit.subscribe();
    let status = poll_fn(|context| {
        // `wait` may be dropped and called anew: the waker is kept by the child itself.
        pin!(shared.lock().wait()).poll(context)
    });
    tokio::select! {
        Ok(status) = status => drop(shared.exit.send_replace(Some(status))),
        _ = exit.wait_for(Option::is_some) => {}
    }
}

/// Runs `work` on a thread that lives as long as this process.
///
/// Linux sends the death signal when the *thread* that started the child ends, and a runtime's
/// worker threads, or a test's own thread, end long before the process.
fn on_spawner_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    type Job = Box<dyn FnOnce() + Send>;
    static SPAWNER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        std::thread::spawn(move || jobs.into_iter().for_each(|job| job()));
        sender
    });
    let runtime = tokio::runtime::Handle::current();
    let (sender, result) = mpsc::sync_channel(1);
    let job = move || {
        let _inside = runtime.enter();
        let work = std::panic::AssertUnwindSafe(work);
        // A panic belongs to the caller; this thread must go on.
        let _ = sender.send(std::panic::catch_unwind(work));
    };
    spawner.send(Box::new(job)).expect("the spawner never ends");
    match result.recv().expect("the spawner answers") {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
