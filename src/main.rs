//! The command: `just-data check`, `explain`, `rules`, `formats`.
//!
//! Results go to standard output, progress and errors to standard error. Exit status: 0 every file is just data,
//! 1 some file is not or needs a second look, 2 nothing found but something could not be read, 64 bad usage.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    command::run()
}

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
mod command;
