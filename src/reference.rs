//! References from a file to somewhere else, told by how far they reach: never by what they are called.
//!
//! ```text
//! "volume.raw"                   Sibling          "#part"                          SameFile
//! "data/volume.raw"              Below            "../volume.raw"                  Parent
//! "/etc/hosts" "C:\x" "file:///x" Absolute        "\\host\share" "//host/x"        Unc
//! "https://host/x"               Remote           "data:image/png;base64,…"        Embedded
//! "javascript:…" "vbscript:…"    Script           "urn:oid:1.2.3" "mailto:…"       Other
//! ```
//! A reader of files takes a reference as it stands; some decode percent signs first. What reaches farther in either
//! reading counts.
//!
//! Specification: RFC 3986; RFC 8089 for `file:`; [MS-DTYP] 2.2.57 for UNC paths.

use std::borrow::Cow;

/// How far a reference reaches. The order is by distance.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reach {
    /// A part of the same file, or nothing at all.
    SameFile,
    /// The content stands in the reference itself (`data:`).
    Embedded,
    /// A file in the same folder.
    Sibling,
    /// A file in a folder below.
    Below,
    /// A scheme that opens no file and no connection by itself (`urn:`, `mailto:`, `doi:`).
    Other,
    /// A file above the folder.
    Parent,
    /// A file by its whole path.
    Absolute,
    /// A file of another computer: opening it connects to that computer.
    Unc,
    /// An address in a network.
    Remote,
    /// Program text (`javascript:`).
    Script,
}

/// A reference, classified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference {
    /// How far it reaches.
    pub reach: Reach,
    /// Its scheme in lower case, where it has one.
    pub scheme: Option<String>,
    /// The host that it names, where it names one.
    pub host: Option<String>,
}

impl Reference {
    /// Whether following it connects to another computer.
    pub fn connects(&self) -> bool {
        matches!(self.reach, Reach::Unc | Reach::Remote)
    }

    /// Whether following it opens something outside the folder of the file.
    pub fn leaves_folder(&self) -> bool {
        matches!(self.reach, Reach::Parent | Reach::Absolute | Reach::Unc | Reach::Remote | Reach::Script)
    }

    /// What following it does, for a message: "leads to the server host".
    pub fn saying(&self) -> Cow<'static, str> {
        match (self.reach, &self.host) {
            (Reach::SameFile, _) => "stays in the file".into(),
            (Reach::Embedded, _) => "carries its content itself".into(),
            (Reach::Sibling, _) => "names a file beside this one".into(),
            (Reach::Below, _) => "names a file in a folder beside this one".into(),
            (Reach::Other, _) => "names something".into(),
            (Reach::Parent, _) => "names a file above the folder of this one".into(),
            (Reach::Absolute, _) => "names a file by its whole path".into(),
            (Reach::Unc | Reach::Remote, Some(host)) => {
                format!("leads to the computer {}", crate::quote::quoted(host)).into()
            }
            (Reach::Unc | Reach::Remote, None) => "leads to another computer".into(),
            (Reach::Script, _) => "is program text".into(),
        }
    }
}

/// Schemes that name something without opening it.
const NAMES: &[&str] = &[
    "about", "ark", "cid", "did", "doi", "hdl", "info", "isbn", "issn", "mailto", "mid", "ni", "oid", "orcid", "pmid",
    "tag", "tel", "urn", "uuid",
];

/// Schemes of program text.
const SCRIPTS: &[&str] = &["javascript", "livescript", "mocha", "vbscript"];

/// Schemes whose content lies in a store of the same computer.
const LOCAL: &[&str] = &["file", "local"];

/// Classifies a reference as a reader of files or a browser would follow it.
pub fn classify(text: &str) -> Reference {
    let plain = classify_as_it_stands(text);
    let decoded = percent_decoded(text);
    if decoded == text {
        return plain;
    }
    // Only the path may reach farther when decoded: a scheme or a host is never percent-encoded.
    let inner = classify_as_it_stands(&decoded);
    if plain.scheme.is_none() && inner.reach > plain.reach && inner.scheme.is_none() { inner } else { plain }
}

fn classify_as_it_stands(text: &str) -> Reference {
    // Browsers pass over tabs and line breaks anywhere, and over controls and spaces in front.
    let text: String = text
        .trim_matches(|letter: char| letter <= ' ')
        .chars()
        .filter(|letter| !matches!(letter, '\t' | '\n' | '\r' | '\0'))
        .collect();
    let found = |reach, scheme: Option<&str>, host: Option<&str>| Reference {
        reach,
        scheme: scheme.map(str::to_ascii_lowercase),
        host: host.filter(|host| !host.is_empty()).map(str::to_string),
    };
    if text.is_empty() || text.starts_with('#') {
        return found(Reach::SameFile, None, None);
    }
    if is_drive(&text) {
        return found(Reach::Absolute, None, None);
    }
    if let Some((scheme, rest)) = scheme_of(&text) {
        let known = scheme.to_ascii_lowercase();
        let known = known.as_str();
        // A wrapped address: the inner one is followed.
        if matches!(known, "url" | "view-source" | "feed" | "jar" | "zip") {
            let mut inner = classify_as_it_stands_once(rest);
            inner.scheme = inner.scheme.or(Some(known.to_string()));
            return inner;
        }
        if SCRIPTS.contains(&known) {
            return found(Reach::Script, Some(known), None);
        }
        if known == "data" {
            return found(Reach::Embedded, Some(known), None);
        }
        if LOCAL.contains(&known) {
            return Reference { scheme: Some(known.to_string()), ..file_address(rest) };
        }
        if NAMES.contains(&known) {
            return found(Reach::Other, Some(known), None);
        }
        let slashes = rest.starts_with("//") || rest.starts_with("\\\\") || rest.starts_with("/\\");
        if slashes || matches!(known, "http" | "https" | "ftp" | "ftps" | "ws" | "wss") {
            return found(Reach::Remote, Some(known), Some(host_of(rest)));
        }
        return found(Reach::Other, Some(known), None);
    }
    path(&text)
}

/// As [`classify_as_it_stands`] for what a wrapping scheme wraps, without unwrapping again.
fn classify_as_it_stands_once(text: &str) -> Reference {
    match scheme_of(text) {
        Some((scheme, rest)) if LOCAL.contains(&scheme.to_ascii_lowercase().as_str()) => file_address(rest),
        Some((scheme, rest)) => Reference {
            reach: if SCRIPTS.contains(&scheme.to_ascii_lowercase().as_str()) { Reach::Script } else { Reach::Remote },
            scheme: Some(scheme.to_ascii_lowercase()),
            host: Some(host_of(rest).to_string()).filter(|host| !host.is_empty()),
        },
        None => path(text),
    }
}

/// A path without a scheme.
fn path(text: &str) -> Reference {
    let found = |reach, host: Option<&str>| Reference { reach, scheme: None, host: host.map(str::to_string) };
    let slash = |letter: char| letter == '/' || letter == '\\';
    if let Some(rest) = text.strip_prefix(slash) {
        let Some(rest) = rest.strip_prefix(slash) else { return found(Reach::Absolute, None) };
        // Windows: `\\?\` and `\\.\` stand before local paths and devices, but `\\?\UNC\host` does not.
        let name = rest.split(slash).next().unwrap_or_default();
        if matches!(name, "?" | ".") {
            let mut parts = rest.split(slash).skip(1);
            return match parts.next() {
                Some(unc) if unc.eq_ignore_ascii_case("UNC") => found(Reach::Unc, parts.next()),
                _ => found(Reach::Absolute, None),
            };
        }
        return match name {
            "" => found(Reach::Absolute, None),
            // `\\host@SSL@443\share` is WebDAV; `//user@host/x` is an address without scheme.
            host if text.starts_with('\\') => found(Reach::Unc, host.split('@').next()),
            host => found(Reach::Unc, Some(host_of(host))),
        };
    }
    if is_drive(text) || text.starts_with("~/") || text.starts_with("~\\") {
        return found(Reach::Absolute, None);
    }
    let path = text.split(['?', '#']).next().unwrap_or(text);
    let mut depth = 0i64;
    let mut lowest = 0i64;
    let mut folders = 0usize;
    let parts: Vec<&str> = path.split(slash).collect();
    for (index, part) in parts.iter().enumerate() {
        match part.trim_end_matches([' ', '\0']) {
            "" | "." => {}
            ".." => {
                depth = depth.saturating_sub(1);
                lowest = lowest.min(depth);
            }
            _ if index.saturating_add(1) < parts.len() => {
                depth = depth.saturating_add(1);
                folders = folders.saturating_add(1);
            }
            _ => {}
        }
    }
    if lowest < 0 {
        found(Reach::Parent, None)
    } else if folders > 0 && depth > 0 {
        found(Reach::Below, None)
    } else {
        found(Reach::Sibling, None)
    }
}

/// What stands behind `file:`.
fn file_address(rest: &str) -> Reference {
    let found = |reach, host: Option<&str>| Reference { reach, scheme: None, host: host.map(str::to_string) };
    let slash = |letter: char| letter == '/' || letter == '\\';
    let slashes = rest.chars().take_while(|letter| slash(*letter)).count();
    let inner = rest.trim_start_matches(slash);
    match slashes {
        0 if is_drive(rest) => found(Reach::Absolute, None),
        0 => path(rest),
        1 => found(Reach::Absolute, None),
        2 => {
            let host = host_of(rest);
            let local = host.is_empty() || host.eq_ignore_ascii_case("localhost") || is_drive(inner) || host == ".";
            if local { found(Reach::Absolute, None) } else { found(Reach::Unc, Some(host)) }
        }
        3 => found(Reach::Absolute, None),
        // `file:////host/share`
        _ if is_drive(inner) => found(Reach::Absolute, None),
        _ => found(Reach::Unc, inner.split(slash).next()),
    }
}

/// `C:` and what Windows reads so: a letter and a colon, but no longer scheme.
fn is_drive(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_alphabetic())
        && matches!(letters.next(), Some(':' | '|'))
        && letters.next().is_none_or(|letter| matches!(letter, '/' | '\\') || !letter.is_whitespace())
}

/// The scheme and what follows its colon, RFC 3986 section 3.1.
fn scheme_of(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let valid = scheme.len() > 1
        && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    valid.then_some((scheme, rest))
}

/// The host of `//user@host:port/path`, without user and port.
fn host_of(text: &str) -> &str {
    let authority = text.trim_start_matches(['/', '\\']);
    let authority = authority.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or(authority);
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

/// Percent signs resolved; bytes that are no UTF-8 become U+FFFD.
pub fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_string();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|two| *first == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        let value =
            digits.and_then(|two| std::str::from_utf8(two).ok()).and_then(|two| u8::from_str_radix(two, 16).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches() {
        for (text, reach, host) in [
            ("", Reach::SameFile, None),
            ("#mesh", Reach::SameFile, None),
            ("volume.raw", Reach::Sibling, None),
            ("./volume.raw", Reach::Sibling, None),
            ("data/../volume.raw", Reach::Sibling, None),
            ("a b (1).raw", Reach::Sibling, None),
            ("slice.%03d.raw", Reach::Sibling, None),
            ("..raw", Reach::Sibling, None),
            ("data/volume.raw", Reach::Below, None),
            (".\\data\\volume.raw", Reach::Below, None),
            ("../volume.raw", Reach::Parent, None),
            ("data/../../volume.raw", Reach::Parent, None),
            ("..\\volume.raw", Reach::Parent, None),
            ("%2e%2e/volume.raw", Reach::Parent, None),
            ("..%2fvolume.raw", Reach::Parent, None),
            ("..", Reach::Parent, None),
            ("/etc/hostname", Reach::Absolute, None),
            ("%2fetc/hostname", Reach::Absolute, None),
            ("\\windows\\win.ini", Reach::Absolute, None),
            ("C:\\windows\\win.ini", Reach::Absolute, None),
            ("c:/x", Reach::Absolute, None),
            ("C:x", Reach::Absolute, None),
            ("~/x", Reach::Absolute, None),
            ("file:///etc/hostname", Reach::Absolute, None),
            ("FILE:/etc/hostname", Reach::Absolute, None),
            ("file:///C:/x", Reach::Absolute, None),
            ("file://localhost/x", Reach::Absolute, None),
            ("file://C:/x", Reach::Absolute, None),
            ("file:beside.png", Reach::Sibling, None),
            ("file:../above.png", Reach::Parent, None),
            ("\\\\?\\C:\\x", Reach::Absolute, None),
            ("\\\\.\\pipe\\x", Reach::Absolute, None),
            ("\\\\host\\share\\x", Reach::Unc, Some("host")),
            ("\\\\?\\UNC\\host\\share", Reach::Unc, Some("host")),
            ("//host/share", Reach::Unc, Some("host")),
            ("\\\\host@SSL@443\\dav", Reach::Unc, Some("host")),
            ("/\\host/x", Reach::Unc, Some("host")),
            ("file://host/share/x", Reach::Unc, Some("host")),
            ("file:////host/share/x", Reach::Unc, Some("host")),
            ("http://host/x", Reach::Remote, Some("host")),
            (" \n HTTPS://user:pw@host:8080/x?y#z", Reach::Remote, Some("host")),
            ("ht\ntp://host/x", Reach::Remote, Some("host")),
            ("http:host", Reach::Remote, Some("host")),
            ("http:\\\\host\\x", Reach::Remote, Some("host")),
            ("http://[::1]:80/x", Reach::Remote, Some("[::1]")),
            ("s3://bucket/key", Reach::Remote, Some("bucket")),
            ("gopher://host", Reach::Remote, Some("host")),
            ("url:http://host/", Reach::Remote, Some("host")),
            ("jar:http://host/x!/y", Reach::Remote, Some("host")),
            ("data:image/png;base64,AAAA", Reach::Embedded, None),
            ("javascript:alert(1)", Reach::Script, None),
            ("java\tscript:alert(1)", Reach::Script, None),
            ("VBScript:x", Reach::Script, None),
            ("urn:oid:1.2.3", Reach::Other, None),
            ("mailto:a@b", Reach::Other, None),
            ("about:blank", Reach::Other, None),
        ] {
            let reference = classify(text);
            assert_eq!((reference.reach, reference.host.as_deref()), (reach, host), "{text}");
        }
    }

    #[test]
    fn only_what_goes_out_leaves_the_folder() {
        for text in ["volume.raw", "data/volume.raw", "#x", "data:,x", "urn:x:y", "100%.raw"] {
            assert!(!classify(text).leaves_folder() && !classify(text).connects(), "{text}");
        }
        for text in ["../x", "/x", "C:\\x", "file:///x", "\\\\h\\x", "http://h/x", "javascript:x"] {
            assert!(classify(text).leaves_folder(), "{text}");
        }
        assert!(classify("//h/x").connects() && !classify("/x").connects());
    }

    #[test]
    fn hosts_in_messages_are_quoted() {
        assert_eq!(
            classify("http://ex\u{202E}.com/").saying(),
            "leads to the computer \u{201c}ex\\u{202E}.com\u{201d}"
        );
    }
}
