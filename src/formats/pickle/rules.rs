//! What is said about a pickle.

use crate::rule::{Guideline, Rule, Runs, Severity};

const PICKLE: &str = "https://docs.python.org/3/library/pickle.html";

/// All rules, sorted by id.
pub(super) static ALL: &[&Rule] = &[
    &ALTERS_PROGRAM,
    &ALTERS_TENSOR,
    &CALLS_UNKNOWN_CLASS,
    &CARRIES_PROGRAM_CODE,
    &COMPUTED_NAME,
    &CONTACTS_SERVER,
    &EXPANDS,
    &EXTENSION_REGISTRY,
    &OPENS_PORT,
    &REFERS_TO_CODE,
    &RUNS_CODE,
    &STRADDLES_FRAME,
    &UNKNOWN_CLASS,
];

/// A call of what is on no list.
pub(super) static RUNS_CODE: Rule = Rule {
    id: "pickle-runs-code",
    title: "This file runs code when it is opened",
    why: "A pickle is a small program. This one calls a function that has nothing to do with building data, with \
          arguments that stand in the file.",
    advice: "Do not open it. Ask for the data in a format without code, such as safetensors, NPY without objects, or CSV.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[PICKLE],
};

/// A call that opens a connection.
pub(super) static CONTACTS_SERVER: Rule = Rule {
    id: "pickle-contacts-server",
    title: "This file contacts a server when it is opened",
    why: "A pickle is a small program. This one calls a function that opens a network connection.",
    advice: "Do not open it. Ask for the data in a format without code, such as safetensors, NPY without objects, or CSV.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[PICKLE],
};

/// A call that listens.
pub(super) static OPENS_PORT: Rule = Rule {
    id: "pickle-opens-port",
    title: "This file opens a port when it is opened",
    why: "A pickle is a small program. This one calls a function that waits for connections from outside.",
    advice: "Do not open it. Ask for the data in a format without code, such as safetensors, NPY without objects, or CSV.",
    guideline: Guideline::Listening,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[PICKLE],
};

/// BUILD, SETITEM or APPEND on what the program owns.
pub(super) static ALTERS_PROGRAM: Rule = Rule {
    id: "pickle-alters-program",
    title: "This file changes the program that opens it",
    why: "It sets attributes or items of a module, a class or a function instead of building a value. Later calls then \
          do something else than they seem to.",
    advice: "Do not open it. No program writes such a file by itself.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[PICKLE],
};

/// An import whose name is the result of a step.
pub(super) static COMPUTED_NAME: Rule = Rule {
    id: "pickle-computed-name",
    title: "This file hides the name of what it imports",
    why: "The name of an import is put together while the file is opened, so that it cannot be read in the file.",
    advice: "Do not open it. No program writes such a file by itself.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &[PICKLE],
};

/// SETITEM on a tensor.
pub(super) static ALTERS_TENSOR: Rule = Rule {
    id: "pickle-alters-tensor",
    title: "This file sets items of a tensor while it is opened",
    why: "Tensors are rebuilt whole. Setting single items afterwards was used to write outside their memory.",
    advice: "Open it only with a PyTorch of 2.10 or later, or ask the sender for a file in the safetensors format.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2026-24747"],
};

/// A constructor of an unknown class, called with arguments.
pub(super) static CALLS_UNKNOWN_CLASS: Rule = Rule {
    id: "pickle-calls-unknown-class",
    title: "This file calls a class that this check does not know",
    why: "When the file is opened, the constructor of a class from an installed package runs with values from the file. \
          What it does with them cannot be seen from the file.",
    advice: "Open it only if you know the package and trust whoever made the file.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &[PICKLE],
};

/// cloudpickle, dill, code objects.
pub(super) static CARRIES_PROGRAM_CODE: Rule = Rule {
    id: "pickle-carries-program-code",
    title: "This file carries program code beside its data",
    why: "It was written by a program that stores functions or classes together with their compiled code, and makes \
          them anew when it is opened. That code cannot be read like data.",
    advice: "Open it only if you trust whoever made it, or ask for the data alone.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://github.com/cloudpipe/cloudpickle"],
};

/// A value that explodes.
pub(super) static EXPANDS: Rule = Rule {
    id: "pickle-expands",
    title: "This small file stands for a huge value",
    why: "References that are repeated inside each other multiply. Programs that copy or show the value run out of memory.",
    advice: "Do not open it. No program writes such a file by itself.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://en.wikipedia.org/wiki/Billion_laughs_attack"],
};

/// EXT1, EXT2, EXT4.
pub(super) static EXTENSION_REGISTRY: Rule = Rule {
    id: "pickle-extension-registry",
    title: "This file imports something by a number instead of a name",
    why: "The number stands for a name in a registry of the program that opens the file. Which one cannot be seen from \
          the file.",
    advice: "Open it only with the program that wrote it.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://peps.python.org/pep-0307/#the-extension-registry"],
};

/// A mention of code on no list.
pub(super) static REFERS_TO_CODE: Rule = Rule {
    id: "pickle-refers-to-code",
    title: "This file refers to a function that has no place in data",
    why: "It imports the function without calling it. The function runs when a program uses the value.",
    advice: "Open it only if you trust whoever made it.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &[PICKLE],
};

/// Frames that two readers see differently.
pub(super) static STRADDLES_FRAME: Rule = Rule {
    id: "pickle-straddles-frame",
    title: "This pickle reads differently in different programs",
    why: "An instruction crosses the end of its frame. Some versions of Python then run bytes that others take for data.",
    advice: "Do not open it. No program writes such a file by itself.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://github.com/python/cpython/issues/154848", "https://peps.python.org/pep-3154/#framing"],
};

/// A class of a package that no list knows.
pub(super) static UNKNOWN_CLASS: Rule = Rule {
    id: "pickle-unknown-class",
    title: "This file needs a class that this check does not know",
    why: "The file only fills an object of that class with values. What the class does with them is decided by the \
          package or program that defines it, not by this file.",
    advice: "Nothing to do, if you use that package or program anyway.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Note,
    see: &[PICKLE],
};
