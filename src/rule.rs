//! A rule: what is said about one kind of finding, in one static that feeds page, command, SARIF and reference.

use serde::{Deserialize, Serialize};

/// Which of the three published guidelines a finding concerns.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guideline {
    /// No code in data files.
    Code,
    /// No listening: no port is opened.
    Listening,
    /// No reporting: no server is contacted.
    Reporting,
}

impl Guideline {
    /// The guideline's published name.
    pub fn name(self) -> &'static str {
        match self {
            Guideline::Code => "No code in data files",
            Guideline::Listening => "No listening",
            Guideline::Reporting => "No reporting",
        }
    }

    /// The stable word of the JSON contract.
    pub fn id(self) -> &'static str {
        match self {
            Guideline::Code => "code",
            Guideline::Listening => "listening",
            Guideline::Reporting => "reporting",
        }
    }
}

/// When the thing that was found acts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// When the file is opened.
    OnOpen,
    /// When somebody uses what the file carries.
    OnUse,
    /// Never by itself.
    Never,
}

impl Runs {
    /// The stable word of the JSON contract.
    pub fn id(self) -> &'static str {
        match self {
            Runs::OnOpen => "on-open",
            Runs::OnUse => "on-use",
            Runs::Never => "never",
        }
    }
}

/// How much a finding weighs. One rule has one severity; another severity is another rule.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something runs, connects or listens when the file is opened, or an executable is hidden in it.
    Danger,
    /// Dormant code, hidden bytes, a reference that leaves the file, a name that lies.
    Warning,
    /// Worth knowing; the verdict does not change.
    Note,
}

impl Severity {
    /// The stable word of the JSON contract.
    pub fn id(self) -> &'static str {
        match self {
            Severity::Danger => "danger",
            Severity::Note => "note",
            Severity::Warning => "warning",
        }
    }
}

/// One kind of finding.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// Stable, in kebab case; says what is there.
    pub id: &'static str,
    /// The sentence that a person reads first.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// The guideline it concerns.
    pub guideline: Guideline,
    /// When it acts.
    pub runs: Runs,
    /// How much it weighs.
    pub severity: Severity,
    /// Where to read more: specifications, advisories.
    pub see: &'static [&'static str],
}

/// A rule is itself and no other: its identity is its id.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
