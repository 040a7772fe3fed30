//! Arguments, the list of files, and what is printed.

mod queue;

use std::{
    ffi::OsString,
    fs,
    io::{self, BufRead, IsTerminal, Read, Write},
    num::NonZeroUsize,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand, ValueEnum};
use just_data::{
    folder::Folder,
    formats::rule,
    report::{self, Report, Verdict},
};

use queue::{Counted, Item, Queue};

/// Bad usage, as in sysexits.h.
const USAGE: u8 = 64;

/// Is this file just data? Finds what would run code, contact a server or open a port when a data file is opened.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check files, folders, or standard input (`-`).
    Check {
        /// How to print the results.
        #[arg(long, value_enum, default_value_t = Output::Text)]
        format: Output,
        /// Read the paths to check from a file, one a line; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        files_from: Option<PathBuf>,
        /// How many files are checked at the same time [default: one for each processor].
        #[arg(long, value_name = "N")]
        jobs: Option<NonZeroUsize>,
        /// Files and folders; a folder is walked; `-` reads standard input.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Say what a rule means, why it matters and what to do.
    Explain {
        /// The rule's id, as it stands in a finding.
        #[arg(value_name = "RULE")]
        rule: String,
    },
    /// List the rules.
    Rules,
    /// List the formats that are read.
    Formats,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// One JSON object a line and a file, as soon as the file is done.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
    /// One self-contained page.
    Html,
    /// A table for a spreadsheet: one line a file.
    Csv,
}

impl Output {
    fn name(self) -> &'static str {
        match self {
            Output::Csv => "csv",
            Output::Html => "html",
            Output::Json => "json",
            Output::Jsonl => "jsonl",
            Output::Sarif => "sarif",
            Output::Text => "text",
        }
    }
}

/// Runs the command and says how it ended.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let ended = match arguments.command {
        Command::Check { format, files_from, jobs, paths } => check(format, files_from, jobs, paths),
        Command::Explain { rule } => explain(&rule),
        Command::Formats => print_formats(),
        Command::Rules => print_rules(),
    };
    match ended {
        Ok(code) => code,
        // Whoever reads our output has had enough: not an error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("just-data: {error}");
            ExitCode::from(USAGE)
        }
    }
}

fn check(
    format: Output,
    files_from: Option<PathBuf>,
    jobs: Option<NonZeroUsize>,
    mut paths: Vec<PathBuf>,
) -> io::Result<ExitCode> {
    if let Some(list) = files_from {
        paths.extend(
            listed(&list).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", list.display())))?,
        );
    }
    if paths.is_empty() {
        eprintln!(
            "just-data: nothing to check: name files or folders, or use --files-from (see just-data check --help)"
        );
        return Ok(ExitCode::from(USAGE));
    }
    let mut items = Vec::new();
    for path in paths {
        walk(path, &mut items);
    }
    let mut folder = Folder::new(items.iter().filter_map(Item::path));
    let jobs = jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let mut counted = Counted::default();
    let mut waiting: Vec<Report> = Vec::new();
    let mut kept: Vec<Report> = Vec::new();
    let mut tell = |report: Report, kept: &mut Vec<Report>| {
        counted.add(report.verdict);
        match format {
            Output::Jsonl => {
                writeln!(stdout, "{}", report::json::file(&report))?;
                stdout.flush()
            }
            // What shares a line with others is told when all are there.
            Output::Text if report.series.is_none() && report.companions.is_empty() && report.part_of.is_none() => {
                writeln!(stdout, "{}", report::text::file(&report))?;
                stdout.flush()
            }
            Output::Csv | Output::Html | Output::Json | Output::Sarif | Output::Text => {
                kept.push(report);
                Ok(())
            }
        }
    };
    Queue::new(items, jobs).run(|mut report| {
        folder.meet(&mut report);
        if Folder::waits(&report) {
            waiting.push(report);
            return Ok(());
        }
        tell(report, &mut kept)
    })?;
    for mut report in waiting {
        folder.adopt(&mut report);
        tell(report, &mut kept)?;
    }
    kept.sort_by(|a, b| a.path.cmp(&b.path));
    match format {
        Output::Jsonl => {}
        Output::Text => {
            for item in report::items::items(&kept) {
                writeln!(stdout, "{}", report::text::item(&item))?;
            }
            writeln!(stdout, "{counted}")?;
        }
        Output::Csv | Output::Html | Output::Json | Output::Sarif => {
            let written = report::write(&kept, format.name());
            let document = written.ok_or_else(|| io::Error::other("this format is not written by this build"))?;
            writeln!(stdout, "{document}")?;
        }
    }
    stdout.flush()?;
    Ok(match counted.worst() {
        Some(Verdict::Code | Verdict::Caution) => ExitCode::from(1),
        Some(Verdict::Unfinished) => ExitCode::from(2),
        Some(Verdict::JustData) | None => ExitCode::SUCCESS,
    })
}

/// The paths of a list, one a line.
fn listed(list: &PathBuf) -> io::Result<Vec<PathBuf>> {
    let input: Box<dyn BufRead> = match list.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(io::BufReader::new(fs::File::open(list)?)),
    };
    let mut paths = Vec::new();
    for line in input.split(b'\n') {
        let mut line = line?;
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if !line.is_empty() {
            paths.push(PathBuf::from(name_of(line)));
        }
    }
    Ok(paths)
}

#[cfg(unix)]
fn name_of(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn name_of(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// Files below a path. What cannot be listed becomes an item that says why: nothing is passed over.
fn walk(path: PathBuf, items: &mut Vec<Item>) {
    if path.to_str() == Some("-") {
        items.push(Item::Input);
        return;
    }
    if !path.is_dir() {
        items.push(Item::File(path));
        return;
    }
    for entry in walkdir::WalkDir::new(&path).sort_by_file_name() {
        match entry {
            // A link inside a folder is not followed: its target is checked where it lies.
            Ok(entry) if entry.file_type().is_dir() || entry.file_type().is_symlink() => {}
            Ok(entry) => items.push(Item::File(entry.into_path())),
            Err(error) => {
                let place = error.path().unwrap_or(&path).to_path_buf();
                let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                items.push(Item::Unlisted(place, reason));
            }
        }
    }
}

/// The most that is taken from standard input: it has to be kept in memory, because it cannot be read twice.
const INPUT: u64 = 1 << 30;

/// All of standard input.
fn standard_input() -> io::Result<Vec<u8>> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        eprintln!("just-data: reading standard input up to its end (Ctrl-D)");
    }
    let mut bytes = Vec::new();
    stdin.lock().take(INPUT.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > INPUT {
        return Err(io::Error::other("standard input is longer than 1 GiB: save it to a file and check that"));
    }
    Ok(bytes)
}

fn explain(id: &str) -> io::Result<ExitCode> {
    let mut stdout = io::stdout().lock();
    let Some(rule) = rule(id) else {
        eprintln!("just-data: there is no rule {}; `just-data rules` lists them", just_data::quote::quoted(id));
        return Ok(ExitCode::from(USAGE));
    };
    write!(stdout, "{}", report::reference::explain(rule))?;
    Ok(ExitCode::SUCCESS)
}

fn print_rules() -> io::Result<ExitCode> {
    write!(io::stdout().lock(), "{}", report::reference::rules())?;
    Ok(ExitCode::SUCCESS)
}

fn print_formats() -> io::Result<ExitCode> {
    write!(io::stdout().lock(), "{}", report::reference::formats())?;
    Ok(ExitCode::SUCCESS)
}
