//! What is said of a reference that a reader of the file follows: by how far it reaches, in one way for all formats.
//!
//! A file beside, below, or a little above is how data sets are kept. What is far above, named by its whole path, or
//! on another computer, is not part of the data set.

use std::{collections::HashMap, ops::Range, rc::Rc};

use crate::{
    format::{Holds, Role, Span, Visit},
    quote::quoted,
    reference::{Reach, Reference, classify, percent_decoded},
    rule::{Rule, Severity},
    rules,
    source::{Base64, Source},
    stop::Stop,
};

/// Findings of one rule that are told of one file, where they name no computer.
const TOLD: usize = 20;

/// As [`TOLD`], for what does not change the verdict.
const NOTED: usize = 3;

/// Computers that are told of one file in findings of one rule.
const COMPUTERS: usize = 100;

/// Folders that one climbs before it is far.
const FAR: usize = 3;

/// Folders at the root of a system; a path that climbs into one of them leaves every data set.
const ROOTS: &[&str] = &[
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "opt",
    "proc",
    "programdata",
    "root",
    "run",
    "sbin",
    "sys",
    "tmp",
    "users",
    "usr",
    "var",
    "windows",
];

/// Tells of the references of one file, each computer once.
#[derive(Default)]
pub struct Follower {
    told: HashMap<(&'static str, String), usize>,
    /// Whether what stands in the folder is reached by other means than its path.
    addresses: bool,
}

impl Follower {
    /// For addresses of an interface: what is relative there is no file of the folder.
    pub fn of_addresses() -> Self {
        Follower { addresses: true, ..Follower::default() }
    }

    /// Classifies `text`, which stands at `range`, and tells what following it does. `subject` says which reference
    /// it is, as the start of a sentence ("The image `images[0].uri`").
    ///
    /// # Errors
    /// As [`Visit::find`].
    pub fn follow(
        &mut self,
        visit: &mut Visit<'_>,
        range: Range<u64>,
        subject: &str,
        text: &str,
    ) -> Result<Reference, Stop> {
        self.follow_to(visit, range, subject, text, Holds::File)
    }

    /// As [`Follower::follow`], where it is known what the file must hold.
    ///
    /// # Errors
    /// As [`Visit::find`].
    pub fn follow_to(
        &mut self,
        visit: &mut Visit<'_>,
        range: Range<u64>,
        subject: &str,
        text: &str,
        holds: Holds,
    ) -> Result<Reference, Stop> {
        let reference = classify(text);
        if !self.addresses {
            visit.name_file(range.clone(), text, holds);
        }
        if let Some(rule) = rule_of(&reference, text) {
            let message = format!("{subject} is {}: it {}.", quoted(text), reference.saying());
            self.tell(visit, rule, range, reference.host.as_deref().unwrap_or_default(), message)?;
        }
        Ok(reference)
    }

    /// Tells a finding, unless enough of the same kind were told of the same computer.
    ///
    /// # Errors
    /// As [`Visit::find`].
    pub fn tell(
        &mut self,
        visit: &mut Visit<'_>,
        rule: &'static Rule,
        range: Range<u64>,
        host: &str,
        message: String,
    ) -> Result<(), Stop> {
        self.tell_with(visit, rule, range, host, message, None)
    }

    /// As [`Follower::tell`], with what stands there as a person would read it.
    ///
    /// # Errors
    /// As [`Visit::find`].
    pub fn tell_with(
        &mut self,
        visit: &mut Visit<'_>,
        rule: &'static Rule,
        range: Range<u64>,
        host: &str,
        message: String,
        evidence: Option<String>,
    ) -> Result<(), Stop> {
        let computers = self.told.keys().filter(|(id, _)| *id == rule.id).count();
        if !host.is_empty() && computers >= COMPUTERS {
            return Ok(());
        }
        let count = self.told.entry((rule.id, host.to_ascii_lowercase())).or_default();
        *count = count.saturating_add(1);
        let most = match (host.is_empty(), rule.severity) {
            (false, _) => 1,
            (true, Severity::Note) => NOTED,
            (true, _) => TOLD,
        };
        if *count > most {
            return Ok(());
        }
        visit.find_with(rule, range, message, evidence)
    }
}

/// What a reference means that is followed when the file is opened; `None` where it stays in the data set.
fn rule_of(reference: &Reference, text: &str) -> Option<&'static Rule> {
    match reference.reach {
        Reach::Unc | Reach::Remote => Some(&rules::REFERENCE_TO_SERVER),
        Reach::Absolute => Some(&rules::REFERENCE_BY_WHOLE_PATH),
        Reach::Script => Some(&rules::REFERENCE_IS_SCRIPT),
        Reach::Parent if is_far(text) => Some(&rules::REFERENCE_FAR_ABOVE),
        Reach::Parent => Some(&rules::REFERENCE_ABOVE),
        Reach::SameFile | Reach::Embedded | Reach::Sibling | Reach::Below | Reach::Other => None,
    }
}

/// Whether a path climbs over many folders, or into one at the root of a system.
fn is_far(text: &str) -> bool {
    let text = percent_decoded(text);
    let mut climbed = 0usize;
    let mut depth = 0usize;
    for part in text.split(['/', '\\']) {
        match part.trim() {
            "" | "." => {}
            ".." if depth > 0 => depth = depth.saturating_sub(1),
            ".." => climbed = climbed.saturating_add(1),
            folder => {
                if climbed > 1 && depth == 0 && ROOTS.iter().any(|root| folder.eq_ignore_ascii_case(root)) {
                    return true;
                }
                depth = depth.saturating_add(1);
            }
        }
    }
    climbed >= FAR
}

/// Bytes in which the head of a `data:` address ends.
const HEAD: usize = 512;

/// Opens the content of a `data:` address that stands at `range`, as the file wrote it. What is not such an address,
/// or not encoded so that it can be decoded in place, is left alone.
///
/// # Errors
/// As [`Visit::open`].
pub fn open_embedded(visit: &mut Visit<'_>, range: Range<u64>, name: String, what: &'static str) -> Result<(), Stop> {
    let head = visit.bytes.window(range.clone()).peek(range.start, HEAD)?;
    let is_data = head.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"data:"));
    let Some(comma) = memchr::memchr(b',', &head).filter(|_| is_data) else { return Ok(()) };
    let media = head.get(..comma).unwrap_or_default().trim_ascii_end();
    let content = range.start.saturating_add(comma as u64).saturating_add(1)..range.end;
    let encoded = media.len() >= 7
        && media.get(media.len().saturating_sub(7)..).is_some_and(|end| end.eq_ignore_ascii_case(b";base64"));
    if encoded {
        return open_base64(visit, content, name, what);
    }
    let text = visit.bytes.window(content.clone()).all()?;
    let text = percent_decoded(&String::from_utf8_lossy(&text)).into_bytes();
    visit.open(name, Span::Decoded(content, Rc::new(text)), Role::Opaque(what))
}

/// Opens Base64 text as a layer of its own; where it is none, that is noted.
///
/// # Errors
/// As [`Visit::open`].
pub fn open_base64(visit: &mut Visit<'_>, range: Range<u64>, name: String, what: &'static str) -> Result<(), Stop> {
    match Base64::new(visit.bytes.window(range.clone())) {
        Ok(decoded) if decoded.is_empty() => Ok(()),
        Ok(decoded) => visit.open(name, Span::Decoded(range, Rc::new(decoded)), Role::Opaque(what)),
        Err(stop @ Stop::Malformed(_)) => {
            visit.note(stop);
            Ok(())
        }
        Err(stop) => Err(stop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_above_is_told_from_far_above() {
        for near in
            ["../x.nrrd", "../../textures/a.png", "../run/x.nii", "../../data/etc/x", "a/../../b", "../home.nrrd"]
        {
            assert!(!is_far(near), "{near}");
        }
        for far in [
            "../../../x.nrrd",
            "../../etc/hostname",
            "..\\..\\Windows\\x",
            "%2e%2e%2f%2e%2e%2fetc%2fhostname",
            "a/../../b/../../../c",
        ] {
            assert!(is_far(far), "{far}");
        }
    }
}
