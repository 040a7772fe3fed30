//! Names as archives store them: where they lead, and whether a person sees what a program sees.
//!
//! A name counts for every system at once: both slashes separate folders, and a drive letter is a drive, because
//! nobody knows where the archive will be unpacked.

/// Why unpacking under `name` would write outside the folder in which the archive is unpacked, if it would.
pub(crate) fn leaves_folder(name: &[u8]) -> Option<&'static str> {
    leads_out(name, 0)
}

/// Why a link stored as `name` that points to `target` leads outside the folder, if it does.
pub(crate) fn link_leaves_folder(name: &[u8], target: &[u8]) -> Option<&'static str> {
    let depth = parts(name).filter(|part| is_folder(part)).fold(0usize, |depth, part| match part {
        b".." => depth.saturating_sub(1),
        _ => depth.saturating_add(1),
    });
    leads_out(target, depth.saturating_sub(1))
}

/// Whether the name holds characters that a person does not see, or sees elsewhere than a program does.
pub(crate) fn deceives(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name);
    crate::quote::visible(&text) != text
}

/// The folders that `name` passes through, outermost first, each as a whole path.
pub(crate) fn folders_of(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = name.iter().enumerate().filter(|(at, byte)| *at > 0 && is_separator(byte));
    ends.filter_map(|(at, _)| name.get(..at))
}

/// `name` without the parts that say nothing, so that two names of one place are equal.
pub(crate) fn normal(name: &[u8]) -> Vec<u8> {
    let mut normal = Vec::with_capacity(name.len());
    for part in parts(name).filter(|part| is_folder(part)) {
        if !normal.is_empty() {
            normal.push(b'/');
        }
        normal.extend_from_slice(part);
    }
    normal
}

/// Follows a path that starts `depth` folders below the top.
fn leads_out(path: &[u8], mut depth: usize) -> Option<&'static str> {
    if path.first().is_some_and(is_separator) {
        return Some("it starts at the root of the file system");
    }
    if let [drive, b':', ..] = path
        && drive.is_ascii_alphabetic()
    {
        return Some("it names a drive");
    }
    for part in parts(path) {
        // Windows passes over blanks at the end of a part.
        if part.trim_ascii_end() == b".." {
            match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return Some("it goes up with “..”"),
            }
        } else if is_folder(part) {
            depth = depth.saturating_add(1);
        }
    }
    None
}

fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(is_separator)
}

fn is_separator(byte: &u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Whether a part of a path names something.
fn is_folder(part: &[u8]) -> bool {
    !part.is_empty() && part != b"."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_are_told_from_those_that_stay() {
        for name in ["../a", "a/../../b", "/etc/passwd", "\\\\host\\a", "..\\a", "C:\\a", "c:a", "a/.. /../b", "./../a"]
        {
            assert!(leaves_folder(name.as_bytes()).is_some(), "{name}");
        }
        for name in ["a", "a/b/../c", "a/..", "..a/b", "a..b", "...", "a\\b", "./a", "12:30.txt", ""] {
            assert!(leaves_folder(name.as_bytes()).is_none(), "{name}");
        }
    }

    #[test]
    fn links_are_followed_from_their_own_folder() {
        assert!(link_leaves_folder(b"a/b/link", b"../../c").is_none());
        assert!(link_leaves_folder(b"a/b/link", b"../../../c").is_some());
        assert!(link_leaves_folder(b"link", b"..").is_some());
        assert!(link_leaves_folder(b"./link", b"../c").is_some());
        assert!(link_leaves_folder(b"link", b"/etc/passwd").is_some());
        assert!(link_leaves_folder(b"link", b"Versions/Current").is_none());
    }

    #[test]
    fn folders_are_listed() {
        assert_eq!(folders_of(b"a/b/c").collect::<Vec<_>>(), [&b"a"[..], b"a/b"]);
        assert_eq!(folders_of(b"/a").count(), 0);
        assert_eq!(normal(b"./a//b\\c"), b"a/b/c");
    }

    #[test]
    fn hidden_characters_deceive() {
        assert!(deceives("photo\u{202E}gpj.exe".as_bytes()) && deceives(b"a\0b"));
        assert!(!deceives("Übersicht.txt".as_bytes()) && !deceives(b"\x8e\xb1.txt"));
    }
}
