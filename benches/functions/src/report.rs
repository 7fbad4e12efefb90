//! What was measured, as Markdown and plots.

use std::fmt::Write as _;
use std::fs;

use crate::cold::Cold;
use crate::fleet::{self, Fleet};
use crate::readme::between_marks;
use crate::rotation::Rotations;
use crate::scale::Scale;
use crate::settings::root;
use crate::spread::Spread;
use crate::surroundings::surroundings;
use crate::svg::{self, Bar};

/// The sections of the report, in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    text: String,
    /// Rows for the first screen of the README.
    rows: Vec<String>,
    /// Sections that are in it.
    sections: usize,
}

/// A report of fewer sections has no table for the README.
const ALL_SECTIONS: usize = 5;

impl Report {
    pub(crate) fn cold(&mut self, measured: &[Cold], rounds: u32) {
        self.section("Cold start, memory, size");
        let _ = writeln!(
            self.text,
            "Medians of {rounds} starts of each program, taking turns; in brackets the least and the ninth of ten. The \
             first answer is to `testSecret` of a secret that does not exist, from a stand-in of Secrets Manager on \
             loopback that answers at once, over TLS. Sizes are of the stripped binary, and of its zip file.\n\n\
             | function | exec to first poll, ms | to hello's | from there to the first answer, ms | exec to first answer, ms | processor time until then, ms \
             | peak memory, MB | MB | MB zipped | answered |\n|---|---|---|---|---|---|---|---|---|---|"
        );
        let hello = measured.iter().find(|one| one.name == "hello-function");
        for one in measured {
            let to_hello = hello.map_or(f64::NAN, |hello| one.poll.median() / hello.poll.median());
            let _ = writeln!(
                self.text,
                "| {} | {} | {to_hello:.2} | {} | {} | {} | {} | {:.2} | {:.2} | {} |",
                one.name,
                one.poll,
                one.after,
                one.answer,
                one.cpu,
                one.memory,
                one.size,
                one.zipped,
                one.answered
            );
        }
        self.plot(
            "cold-start",
            "Exec to first answer",
            "ms",
            measured,
            |one| &one.answer,
        );
        self.plot(
            "memory",
            "Peak memory until the first answer",
            "MB",
            measured,
            |one| &one.memory,
        );
        let ours = measured.iter().find(|one| one.name == "rotate_postgres");
        if let (Some(ours), Some(python)) = (ours, measured.last()) {
            self.row(
                "cold start: exec to first poll",
                &ours.poll,
                &python.poll,
                "ms",
            );
            self.row("exec to first answer", &ours.answer, &python.answer, "ms");
            self.row("peak memory", &ours.memory, &python.memory, "MB");
        }
    }

    pub(crate) fn rotations(&mut self, measured: &[Rotations], rounds: u32) {
        self.section("A whole rotation");
        let _ = writeln!(
            self.text,
            "A PostgreSQL role: four invocations, the emulator moto behind a proxy that counts, a server over TLS with \
             SCRAM. Cold: each step in a process of its own, from exec on. Warm: one process that has rotated before. \
             Times are milliseconds of all four; most of the wall time is the emulator's. Medians of {rounds}.\n\n\
             | function | wall, cold | processor, cold | wall, warm | processor, warm | calls to Secrets Manager | \
             connections to the database |\n|---|---|---|---|---|---|---|"
        );
        for one in measured {
            let _ = writeln!(
                self.text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                one.name,
                one.cold.wall,
                one.cold.cpu,
                one.warm.wall,
                one.warm.cpu,
                one.calls,
                one.connections
            );
        }
        if let [ours, python] = measured {
            self.row(
                "a rotation, cold: processor time",
                &ours.cold.cpu,
                &python.cold.cpu,
                "ms",
            );
            self.row(
                "a rotation, warm: processor time",
                &ours.warm.cpu,
                &python.warm.cpu,
                "ms",
            );
            self.row(
                "calls to Secrets Manager a rotation",
                &ours.calls,
                &python.calls,
                "",
            );
            self.row(
                "connections to the database a rotation",
                &ours.connections,
                &python.connections,
                "",
            );
        }
        self.plot(
            "rotation",
            "A cold rotation: processor time",
            "ms",
            measured,
            |one| &one.cold.cpu,
        );
    }

    pub(crate) fn scale(&mut self, measured: &[Scale], rounds: u32) {
        self.section("Ten thousand secrets");
        let _ = writeln!(
            self.text,
            "Rotated by so many handlers at a time in one process, against a store in memory and a target that does \
             nothing: what the engine costs. Medians of {rounds} processes.\n\n\
             | handlers | rotations a second | peak memory, MB |\n|---|---|---|"
        );
        for one in measured {
            let _ = writeln!(
                self.text,
                "| {} | {} | {} |",
                one.handlers, one.rate, one.memory
            );
        }
        if let (Some(first), Some(last)) = (measured.first(), measured.last()) {
            let _ = writeln!(
                self.text,
                "\nFrom {} handler to {}: {:.2} times the rotations, {:.2} MB more memory.",
                first.handlers,
                last.handlers,
                last.rate.median() / first.rate.median(),
                last.memory.median() - first.memory.median()
            );
        }
    }

    pub(crate) fn fleet(&mut self, with: &Fleet, without: &Fleet) {
        self.section("A fleet of readers");
        let _ = writeln!(
            self.text,
            "{} readers of {} secrets, started within {} s; each keeps a handle and logs in once a minute; each secret \
             is rotated once in the hour, and its target refuses the old password from then on. The client's own code on \
             a simulated clock, with its defaults (5 minutes), and with its jitter of 0.1 switched off. Secrets Manager \
             allows 10,000 reads and 50 writes a second, in an account and region; {} rotations an hour are {:.2} writes a \
             second, of two each.\n\n\
             | calls to Secrets Manager a second | with jitter | without |\n|---|---|---|",
            fleet::READERS,
            fleet::SECRETS,
            fleet::START,
            fleet::SECRETS,
            f64::from(2 * fleet::SECRETS) / 3600.0
        );
        let _ = writeln!(
            self.text,
            "| mean of the hour | {:.0} | {:.0} |",
            with.mean(),
            without.mean()
        );
        for (what, seconds) in [
            ("peak of the first minute: the start", 0..60),
            ("peak of the first refresh", 60..360),
            ("peak of the second half hour", 1800..3600),
        ] {
            let (with, without) = (with.peak(seconds.clone()), without.peak(seconds));
            let _ = writeln!(self.text, "| {what} | {with} | {without} |");
        }
        let _ = writeln!(
            self.text,
            "| logins | {} | {} |\n| logins that failed | {} | {} |\n\n\
             ![calls in each second](plots/fleet.svg)\n\nSimulated in {:.0} s.",
            with.logins,
            without.logins,
            with.failed_logins,
            without.failed_logins,
            with.took + without.took
        );
        let lines: [(&str, &[u32], bool); 2] = [
            ("without jitter", &without.calls, false),
            ("with jitter", &with.calls, true),
        ];
        write_plot(
            "fleet",
            &svg::hour("Reads of Secrets Manager in a second", &lines, 10_000.0),
        );
    }

    /// The table that `benches/client/run` prints.
    pub(crate) fn client(&mut self, table: &str) {
        self.section("A read of a held secret");
        let _ = writeln!(
            self.text,
            "Beside `aws_secretsmanager_caching`, over one SDK client and a stand-in of the service on loopback \
             ([docs/client.md](../docs/client.md#figures) explains each row).\n\n{table}"
        );
        for (wanted, shown) in [
            (
                "a read through a handle",
                "a held secret, read through a handle",
            ),
            ("a read by name", "the same by name"),
            (
                "1,000 readers at once, cold: calls to the service",
                "1,000 readers at once, nothing held: calls to Secrets Manager",
            ),
        ] {
            let cells = table
                .lines()
                .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
            let found = cells
                .into_iter()
                .find(|cells| cells.get(1) == Some(&wanted));
            if let Some([_, _, theirs, ours, ratio, ..]) = found.as_deref() {
                let first = |cell: &str| cell.split(" (").next().unwrap_or(cell).to_owned();
                let unit = if ours.ends_with(" ns") { " ns" } else { "" };
                self.rows.push(format!(
                    "| {shown} | {}{unit} | {}{unit}, `aws_secretsmanager_caching` | {ratio} |",
                    first(ours).trim_end_matches(" ns"),
                    first(theirs).trim_end_matches(" ns")
                ));
            }
        }
    }

    /// Writes `benches/report.md`, and the README's table where everything was measured and it is asked for.
    pub(crate) fn write(&self, update_readme: bool) -> Result<(), String> {
        let head = format!(
            "# What the functions cost\n\nWritten by `benches/run`; [docs/benchmarks.md](../docs/benchmarks.md) says how it \
             is measured and how to read it. Times are those of this machine on this day; ratios travel better.\n\n{}",
            surroundings()
        );
        let whole = format!("{head}\n## In short\n\n{}\n{}", self.table(), self.text);
        let file = root().join("benches/report.md");
        fs::write(&file, whole.trim_end().to_owned() + "\n").map_err(|error| error.to_string())?;
        if !update_readme {
            return Ok(());
        }
        if self.sections < ALL_SECTIONS {
            return Err("the README's table needs all sections: run it without --only".to_owned());
        }
        let readme = root().join("README.md");
        let text = fs::read_to_string(&readme).map_err(|error| error.to_string())?;
        let text = between_marks(&text, &self.table())?;
        fs::write(&readme, text).map_err(|error| error.to_string())
    }

    fn table(&self) -> String {
        let mut table = "| | here | Python with boto3 | ratio |\n|---|---|---|---|\n".to_owned();
        for row in &self.rows {
            table.push_str(row);
            table.push('\n');
        }
        table
    }

    fn section(&mut self, title: &str) {
        self.sections += 1;
        let _ = writeln!(self.text, "\n## {title}\n");
    }

    fn row(&mut self, what: &str, ours: &Spread, theirs: &Spread, unit: &str) {
        let (ours, theirs) = (ours.median(), theirs.median());
        let digits = usize::from(!unit.is_empty());
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!(" {unit}")
        };
        self.rows.push(format!(
            "| {what} | {ours:.digits$}{unit} | {theirs:.digits$}{unit} | {:.1} |",
            theirs / ours
        ));
    }

    fn plot<T: Named>(
        &mut self,
        file: &str,
        title: &str,
        unit: &str,
        measured: &[T],
        of: impl Fn(&T) -> &Spread,
    ) {
        let bars: Vec<_> = measured
            .iter()
            .map(|one| Bar {
                label: one.name().to_owned(),
                value: of(one).median(),
                range: Some((of(one).least(), of(one).most_of())),
                ours: one.name().starts_with("rotate_"),
            })
            .collect();
        write_plot(file, &svg::bars(title, unit, &bars));
        let _ = writeln!(self.text, "\n![{title}](plots/{file}.svg)");
    }
}

pub(crate) trait Named {
    fn name(&self) -> &str;
}

impl Named for Cold {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for Rotations {
    fn name(&self) -> &str {
        &self.name
    }
}

fn write_plot(name: &str, svg: &str) {
    let folder = root().join("benches/plots");
    let written = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join(format!("{name}.svg")), svg));
    written.expect("benches/plots can be written");
}
