//! tar archives: v7, ustar, pax and GNU.
//!
//! Specification: POSIX.1-2024, pax interchange format and ustar interchange format; GNU tar manual, "Basic Tar Format".
//!
//! ```text
//! archive = ( header 512 | data | padding to 512 )*  two blocks of zeros  [ zeros up to the record size ]
//! header  = name 100 | mode 8 | uid 8 | gid 8 | size 12 | mtime 12 | checksum 8 | type 1 | link 100
//!           "ustar" … | uname 32 | gname 32 | devmajor 8 | devminor 8 | prefix 155 | 12
//! type x, g : the data are records "len key=value\n" for the next header, or for all
//! type L, K : the data are the long name or link of the next header (GNU)
//! ```
//! The old format has no mark: a header is known by its checksum. Programs that know pax and GNU extensions see other
//! names, and other lengths, than those that do not: both are looked at.

use std::{collections::HashSet, ops::Range};

use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Mark, Nature, Role, Span, Visit},
    quote::quoted_bytes,
    rule::{Guideline, Rule, Runs, Severity},
    rules::{ENTRY_BEHIND_LINK, ENTRY_WITHOUT_NAME, LINK_LEAVES_FOLDER, NAME_DECEIVES, NAME_LEAVES_FOLDER},
    stop::Stop,
    stored_names::{deceives, folders_of, leaves_folder, link_leaves_folder, normal},
};

/// tar.
pub static FORMAT: Format = Format {
    id: "tar",
    name: "a tar archive",
    spec: "https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html",
    extensions: &["tar"],
    media_types: &["application/x-tar"],
    marks: &[],
    confirm,
    read,
    buried: Buried::AnywhereMarked(&[Mark::at(257, b"ustar")], confirm),
    nature: Nature::Container,
    within: None,
    rules: &[&DEVICE, &LENGTHS_DISAGREE, &SET_ID],
};

/// A device, or a pipe.
static DEVICE: Rule = Rule {
    id: "tar-device",
    title: "This archive makes a device or a pipe when it is unpacked",
    why: "Unpacked by an administrator, the entry gives access to a disk, the memory or another device of this computer.",
    advice: "Do not unpack it as an administrator. Data archives have no such entries.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://peps.python.org/pep-0706/"],
};

/// Two lengths for one entry.
static LENGTHS_DISAGREE: Rule = Rule {
    id: "tar-lengths-disagree",
    title: "This archive gives one of its files two different lengths",
    why: "Programs differ in which length they believe. From there on they see different files in the same archive.",
    advice: "Ask the sender to pack it anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2025-62518"],
};

/// A file that runs with the rights of its owner.
static SET_ID: Rule = Rule {
    id: "tar-set-id",
    title: "A file in this archive would run with the rights of its owner",
    why: "Its set-user-id or set-group-id bit is on. Unpacked by an administrator, a program keeps that right.",
    advice: "Do not unpack it as an administrator.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Note,
    see: &["https://peps.python.org/pep-0706/"],
};

/// Everything is counted in blocks, in bytes.
pub(super) const BLOCK: u64 = 512;

/// The longest extended header that is read, in bytes.
const EXTENDED: u64 = 1 << 20;

/// The largest length that the eleven octal digits of a header can say, in bytes.
const OCTAL_MOST: u64 = 0o777_7777_7777;

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(Header::read(candidate.bytes, candidate.bytes.start())?.is_some())
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let bytes = visit.bytes;
    let mut at = 0;
    let mut next = Extended::default();
    let mut global = Extended::default();
    let mut links: HashSet<Vec<u8>> = HashSet::new();
    while at < bytes.end() {
        if is_zero_block(bytes, at)? {
            let end = if is_zero_block(bytes, at.saturating_add(BLOCK))? { 2 } else { 1 };
            return visit.structure(at..at.saturating_add(BLOCK.saturating_mul(end)), "end of archive");
        }
        let header = Header::read(bytes, at)?.ok_or(Stop::malformed(at, "a tar header"))?;
        header.claim(visit, at)?;
        let data_at = at.saturating_add(BLOCK);
        match header.kind {
            b'x' | b'X' | b'g' | b'L' | b'K' => {
                let data = part_of(bytes, data_at, header.len)?;
                let extended = if header.kind == b'g' { &mut global } else { &mut next };
                extended.read(visit, header.kind, data)?;
                at = claim_padding(visit, data_at, header.len)?;
                continue;
            }
            _ => {}
        }
        let extended = std::mem::take(&mut next).over(&global);
        let len = extended.len.unwrap_or(header.len);
        if extended.len.is_some_and(|len| len != header.len && len <= OCTAL_MOST) {
            let message = format!("{}: {len} bytes, and {} in the header.", quoted_bytes(&header.name), header.len);
            visit.find(&LENGTHS_DISAGREE, at..data_at, message)?;
        }
        let entry = Entry { at, names: extended.names(&header), links: extended.links(&header), header };
        entry.find(visit, &links)?;
        if matches!(entry.header.kind, b'2') {
            links.insert(normal(entry.name()));
        }
        at = entry.open(visit, data_at, len)?;
    }
    Err(Stop::malformed(bytes.end(), "the end of the archive"))
}

struct Entry {
    at: u64,
    header: Header,
    /// What programs may call it, the best known first.
    names: Vec<Vec<u8>>,
    /// What programs may take for the target of the link.
    links: Vec<Vec<u8>>,
}

impl Entry {
    fn name(&self) -> &[u8] {
        self.names.first().map(Vec::as_slice).unwrap_or_default()
    }

    fn find(&self, visit: &mut Visit<'_>, links: &HashSet<Vec<u8>>) -> Result<(), Stop> {
        let place = self.at..self.at.saturating_add(BLOCK);
        let called = quoted_bytes(self.name());
        for name in &self.names {
            if let Some(why) = leaves_folder(name) {
                visit.find(&NAME_LEAVES_FOLDER, place.clone(), format!("{}: {why}.", quoted_bytes(name)))?;
            }
            if deceives(name) {
                visit.find(&NAME_DECEIVES, place.clone(), format!("The name is {}.", quoted_bytes(name)))?;
            }
            if !links.is_empty()
                && let Some(link) = folders_of(name).find(|folder| links.contains(&normal(folder)))
            {
                let message = format!("{} goes through the link {}.", quoted_bytes(name), quoted_bytes(link));
                visit.find(&ENTRY_BEHIND_LINK, place.clone(), message)?;
            }
        }
        for target in &self.links {
            let why = match self.header.kind {
                // A hard link is named from the top of the archive, a symbolic one from where it stands.
                b'1' => leaves_folder(target),
                b'2' => link_leaves_folder(self.name(), target),
                _ => None,
            };
            if let Some(why) = why {
                let message = format!("{called} points to {}: {why}.", quoted_bytes(target));
                visit.find(&LINK_LEAVES_FOLDER, place.clone(), message)?;
            }
        }
        match self.header.kind {
            b'3' | b'4' | b'6' => visit.find(&DEVICE, place, format!("{called} is a device or a pipe.")),
            b'0' | 0 | b'7' if self.header.mode & 0o6000 != 0 => {
                visit.find(&SET_ID, place, format!("The mode of {called} is {:o}.", self.header.mode))
            }
            _ => Ok(()),
        }
    }

    /// Opens the data and gives the place of the next header.
    fn open(&self, visit: &mut Visit<'_>, data_at: u64, len: u64) -> Result<u64, Stop> {
        let mut data_at = data_at;
        let is_folder = self.header.kind == b'5' || (self.header.kind == 0 && self.name().ends_with(b"/"));
        // Links, devices and folders have no data; their length, where there is one, says something else.
        if is_folder || matches!(self.header.kind, b'1'..=b'4' | b'6') {
            return if is_folder && len > 0 { claim_folder(visit, data_at, len) } else { Ok(data_at) };
        }
        match self.header.kind {
            b'S' => {
                data_at = claim_sparse_map(visit, self.at, data_at)?;
                visit.note(Stop::unsupported(self.at, "a sparse file: its holes are left out"));
            }
            b'M' => visit.note(Stop::unsupported(self.at, "the rest of a file that starts in another volume")),
            _ => {}
        }
        let bytes = visit.bytes;
        let data = data_at..data_at.saturating_add(len);
        let name = String::from_utf8_lossy(self.name()).into_owned();
        if !data.is_empty() {
            if normal(self.name()).is_empty() {
                let message = format!("{len} bytes are stored under the name {}.", quoted_bytes(self.name()));
                visit.find(&ENTRY_WITHOUT_NAME, self.at..self.at.saturating_add(BLOCK), message)?;
            }
            visit.open(name, Span::Range(data.start..data.end.min(bytes.end())), Role::File)?;
        }
        if data.end > bytes.end() {
            return Err(Stop::malformed(bytes.end(), "the rest of an entry's data"));
        }
        claim_padding(visit, data.start, len)
    }
}

/// A folder with a length: GNU dumps list its files there.
fn claim_folder(visit: &mut Visit<'_>, at: u64, len: u64) -> Result<u64, Stop> {
    // Old programs give a folder a length and no data. What stands there decides.
    if Header::read(visit.bytes, at)?.is_some() || is_zero_block(visit.bytes, at)? {
        return Ok(at);
    }
    let data = part_of(visit.bytes, at, len)?;
    visit.slack(data.range(), "list of files")?;
    claim_padding(visit, at, len)
}

/// More of a GNU sparse map, if the header says so: 21 pairs a block.
fn claim_sparse_map(visit: &mut Visit<'_>, header_at: u64, data_at: u64) -> Result<u64, Stop> {
    let mut at = data_at;
    let mut more = visit.bytes.peek(header_at.saturating_add(482), 1)?.first().is_some_and(|byte| *byte != 0);
    while more {
        let block = part_of(visit.bytes, at, BLOCK)?;
        visit.structure(block.range(), "sparse map")?;
        more = visit.bytes.peek(at.saturating_add(504), 1)?.first().is_some_and(|byte| *byte != 0);
        at = at.saturating_add(BLOCK);
    }
    Ok(at)
}

/// Claims what follows `len` bytes of data up to the next block, and gives the place of that.
fn claim_padding(visit: &mut Visit<'_>, at: u64, len: u64) -> Result<u64, Stop> {
    let end = at.saturating_add(len);
    let next = end.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
    if !visit.bytes.window(end..next).is_all(0)? {
        visit.slack(end..next, "padding")?;
    } else {
        visit.structure(end..next, "header")?;
    }
    Ok(next)
}

/// Exactly `len` bytes, as a window.
fn part_of(bytes: &Bytes, at: u64, len: u64) -> Result<Bytes, Stop> {
    let window = bytes.window(at..at.saturating_add(len));
    if window.len() < len { Err(Stop::malformed(bytes.end(), "the rest of an entry's data")) } else { Ok(window) }
}

fn is_zero_block(bytes: &Bytes, at: u64) -> Result<bool, Stop> {
    let block = bytes.peek(at, 512)?;
    Ok(block.len() == 512 && block.iter().all(|byte| *byte == 0))
}

/// What an extended header says of the next entry.
#[derive(Clone, Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    len: Option<u64>,
}

impl Extended {
    fn read(&mut self, visit: &mut Visit<'_>, kind: u8, data: Bytes) -> Result<(), Stop> {
        if data.len() > EXTENDED {
            return Err(Stop::malformed(data.start(), "a shorter extended header"));
        }
        let content = data.all()?;
        if matches!(kind, b'L' | b'K') {
            let name = until_zero(&content).to_vec();
            let end = data.start().saturating_add(name.len() as u64);
            visit.structure(data.start()..end, "header")?;
            visit.slack(end..data.end(), "behind a long name")?;
            *(if kind == b'L' { &mut self.path } else { &mut self.link }) = Some(name);
            return Ok(());
        }
        let mut rest = content.as_slice();
        let mut at = data.start();
        while let Some((record, key, value)) = pax_record(rest) {
            let end = at.saturating_add(record as u64);
            match key {
                b"path" | b"GNU.sparse.name" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.len = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()),
                _ => {}
            }
            if key.starts_with(b"GNU.sparse.") {
                visit.note(Stop::unsupported(at, "a sparse file: its holes are left out"));
            }
            let known = matches!(
                key,
                b"path"
                    | b"linkpath"
                    | b"size"
                    | b"uid"
                    | b"gid"
                    | b"uname"
                    | b"gname"
                    | b"mtime"
                    | b"atime"
                    | b"ctime"
            );
            if known && record <= 4096 {
                visit.structure(at..end, "header")?;
            } else {
                visit.slack(at..end, "extended header record")?;
            }
            rest = rest.get(record..).unwrap_or_default();
            at = end;
        }
        if at < data.end() {
            visit.slack(at..data.end(), "behind extended header records")?;
            if !rest.iter().all(|byte| *byte == 0) {
                visit.note(Stop::malformed(at, "an extended header record"));
            }
        }
        Ok(())
    }

    fn over(self, global: &Extended) -> Extended {
        Extended {
            path: self.path.or_else(|| global.path.clone()),
            link: self.link.or_else(|| global.link.clone()),
            len: self.len.or(global.len),
        }
    }

    fn names(&self, header: &Header) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = self.path.iter().cloned().collect();
        // Without the extension, a long name is cut: then it only counts where it says something else.
        if names.first().is_none_or(|name| !name.starts_with(&header.name)) {
            names.push(header.name.clone());
        }
        names
    }

    fn links(&self, header: &Header) -> Vec<Vec<u8>> {
        let mut links: Vec<Vec<u8>> = self.link.iter().cloned().collect();
        if links.first().is_none_or(|link| !link.starts_with(&header.link)) {
            links.push(header.link.clone());
        }
        links
    }
}

/// The length of the first pax record, its key and its value.
fn pax_record(input: &[u8]) -> Option<(usize, &[u8], &[u8])> {
    let space = input.iter().take(20).position(|byte| *byte == b' ')?;
    let len: usize = std::str::from_utf8(input.get(..space)?).ok()?.parse().ok()?;
    let record = input.get(space.checked_add(1)?..len)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((len, record.get(..equals)?, record.get(equals.checked_add(1)?..)?))
}

struct Header {
    /// With the prefix of ustar.
    name: Vec<u8>,
    link: Vec<u8>,
    mode: u64,
    /// Length of the data in bytes.
    len: u64,
    kind: u8,
    /// Rests of fields behind their zero byte that are not zero, as places in the header.
    rests: Vec<Range<u64>>,
}

impl Header {
    /// The header at `at`, if its checksum is right.
    fn read(bytes: &Bytes, at: u64) -> Result<Option<Self>, Stop> {
        let block = bytes.peek(at, 512)?;
        Ok(if block.len() == 512 { Header::parse(&block) } else { None })
    }

    fn parse(block: &[u8]) -> Option<Self> {
        let field = |range: Range<usize>| block.get(range).unwrap_or_default();
        let declared = number(field(148..156))?;
        let mut unsigned = 0u64;
        let mut signed = 0i64;
        for (place, byte) in block.iter().enumerate() {
            let byte = if (148..156).contains(&place) { b' ' } else { *byte };
            unsigned = unsigned.saturating_add(byte.into());
            // Some old programs added signed characters.
            signed = signed.saturating_add(i64::from(i8::from_ne_bytes([byte])));
        }
        if (declared != unsigned && i64::try_from(declared) != Ok(signed)) || block.first() == Some(&0) {
            return None;
        }
        let is_ustar = field(257..263) == b"ustar\0";
        let mut name = until_zero(field(0..100)).to_vec();
        let prefix = until_zero(field(345..500));
        if is_ustar && !prefix.is_empty() {
            name = [prefix, b"/", &name].concat();
        }
        let mut fields = vec![0..100usize, 157..257];
        if is_ustar {
            fields.extend([265..297, 297..329, 345..500, 500..512]);
        }
        let mut rests = Vec::new();
        for range in fields {
            let text = field(range.clone());
            let rest = if range.start == 500 { text } else { text.get(until_zero(text).len()..).unwrap_or_default() };
            if rest.iter().any(|byte| *byte != 0) {
                let start = range.end.saturating_sub(rest.len());
                rests.push(start as u64..range.end as u64);
            }
        }
        Some(Header {
            name,
            link: until_zero(field(157..257)).to_vec(),
            mode: number(field(100..108)).unwrap_or(0),
            len: number(field(124..136))?,
            kind: block.get(156).copied().unwrap_or(0),
            rests,
        })
    }

    fn claim(&self, visit: &mut Visit<'_>, at: u64) -> Result<(), Stop> {
        let mut from = at;
        for rest in &self.rests {
            let range = at.saturating_add(rest.start)..at.saturating_add(rest.end);
            visit.structure(from..range.start, "header")?;
            visit.slack(range.clone(), "rest of a header field")?;
            from = range.end;
        }
        visit.structure(from..at.saturating_add(BLOCK), "header")
    }
}

/// A number: octal digits between blanks and zeros, or 256-based behind a byte 0x80 (GNU).
fn number(field: &[u8]) -> Option<u64> {
    if let [0x80, digits @ ..] = field {
        return digits.iter().try_fold(0u64, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let text = until_zero(field).trim_ascii();
    if text.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn header(name: &str, kind: u8, len: usize, link: &str) -> Vec<u8> {
        let mut block = vec![0; 512];
        let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(100, b"0000644\0");
        put(108, b"0001750\0");
        put(116, b"0001750\0");
        put(124, format!("{len:011o}\0").as_bytes());
        put(136, b"14700000000\0");
        put(156, &[kind]);
        put(157, link.as_bytes());
        put(257, b"ustar\x0000");
        sealed(block)
    }

    fn sealed(mut block: Vec<u8>) -> Vec<u8> {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = [header(name, kind, content.len(), ""), content.to_vec()].concat();
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
        [entries.concat(), vec![0; 1024]].concat()
    }

    fn pax(key: &str, value: &str) -> Vec<u8> {
        let body = key.len() + value.len() + 3;
        let len = (1..4).map(|digits| body + digits).find(|len| len.to_string().len() + body == *len).unwrap();
        entry("PaxHeader", b'x', format!("{len} {key}={value}\n").as_bytes())
    }

    #[test]
    fn entries_are_opened_and_every_byte_has_an_owner() {
        let bytes =
            archive(&[header("sub/", b'5', 0, ""), entry("sub/a.txt", b'0', b"text\n"), entry("b.txt", 0, b"more\n")]);
        let report = checked("a.tar", bytes);
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        let names: Vec<_> = report.layers.iter().map(|layer| (layer.name.as_str(), layer.len)).collect();
        assert_eq!(names[1..], [("sub/a.txt", 5), ("b.txt", 5)]);
    }

    #[test]
    fn the_old_format_is_known_by_its_checksum() {
        let mut block = header("a.txt", 0, 5, "");
        block[257..265].fill(0);
        let bytes = archive(&[sealed(block), [b"text\n".to_vec(), vec![0; 507]].concat()]);
        let report = checked("a.tar", bytes.clone());
        assert_eq!((report.verdict, report.layers.len()), (Verdict::JustData, 2));
        let mut broken = bytes;
        broken[3] ^= 1;
        assert!(checked("a.bin", broken).layers[0].formats.is_empty());
    }

    #[test]
    fn an_archive_cut_anywhere_is_never_just_data() {
        let sample =
            archive(&[pax("path", "long.txt"), entry("a.txt", b'0', b"text\n"), entry("b.txt", b'0', b"text\n")]);
        for len in (520..sample.len() - 1024).step_by(7) {
            assert_ne!(checked("a.tar", &sample[..len]).verdict, Verdict::JustData, "{len}");
        }
    }

    #[test]
    fn names_that_leave_the_folder_are_found() {
        for name in ["../up", "/root"] {
            assert_eq!(rules_of(&checked("a.tar", archive(&[entry(name, b'0', b"text\n")]))), ["name-leaves-folder"]);
        }
        let long = archive(&[entry("././@LongLink", b'L', b"../../up\0"), entry("up", b'0', b"text\n")]);
        assert_eq!(rules_of(&checked("a.tar", long)), ["name-leaves-folder"]);
        let extended = archive(&[pax("path", "/root"), entry("up", b'0', b"text\n")]);
        assert_eq!(rules_of(&checked("a.tar", extended)), ["name-leaves-folder"]);
        let mut prefixed = header("up", b'0', 0, "");
        prefixed[345..350].copy_from_slice(b"../..");
        assert_eq!(rules_of(&checked("a.tar", archive(&[sealed(prefixed)]))), ["name-leaves-folder"]);
        let fine = archive(&[pax("path", "Übersicht.txt"), entry("Ubersicht.txt", b'0', b"text\n")]);
        let report = checked("a.tar", fine);
        assert_eq!((report.verdict, report.layers[1].name.as_str()), (Verdict::JustData, "Übersicht.txt"));
    }

    #[test]
    fn a_file_without_a_name_is_found() {
        assert_eq!(rules_of(&checked("a.tar", archive(&[entry(".", b'0', b"text\n")]))), ["entry-without-name"]);
        let folder = archive(&[header("./", b'5', 0, ""), entry("./a.txt", b'0', b"text\n")]);
        assert_eq!(checked("a.tar", folder).verdict, Verdict::JustData);
    }

    #[test]
    fn links_are_followed() {
        let link = |kind: u8, target: &str| archive(&[header("sub/link", kind, 0, target)]);
        assert_eq!(rules_of(&checked("a.tar", link(b'2', "/etc/passwd"))), ["link-leaves-folder"]);
        assert_eq!(rules_of(&checked("a.tar", link(b'2', "../../x"))), ["link-leaves-folder"]);
        assert_eq!(rules_of(&checked("a.tar", link(b'1', "../x"))), ["link-leaves-folder"]);
        assert_eq!(checked("a.tar", link(b'2', "../x")).verdict, Verdict::JustData);
        assert_eq!(checked("a.tar", link(b'1', "sub/x")).verdict, Verdict::JustData);
        let through = archive(&[header("link", b'2', 0, "."), entry("link/a.txt", b'0', b"text\n")]);
        assert_eq!(rules_of(&checked("a.tar", through)), ["entry-behind-link"]);
    }

    #[test]
    fn devices_and_rights_are_found() {
        for kind in [b'3', b'4', b'6'] {
            assert_eq!(rules_of(&checked("a.tar", archive(&[header("dev", kind, 0, "")]))), ["tar-device"]);
        }
        let mut block = header("a.txt", b'0', 0, "");
        block[100..107].copy_from_slice(b"0004755");
        let report = checked("a.tar", archive(&[sealed(block)]));
        assert_eq!((report.verdict, report.findings[0].rule.as_str()), (Verdict::JustData, "tar-set-id"));
    }

    #[test]
    fn two_lengths_are_found() {
        let inner = entry("hidden.txt", b'0', b"text\n");
        let mut outer = entry("outer.tar", b'0', &inner);
        outer.splice(..512, header("outer.tar", b'0', 0, ""));
        let report = checked("a.tar", archive(&[pax("size", "1024"), outer]));
        assert_eq!(rules_of(&report), ["tar-lengths-disagree"]);
        assert!(report.layers.iter().any(|layer| layer.name == "hidden.txt"), "{report:#?}");
        let same = archive(&[pax("size", "5"), entry("a.txt", b'0', b"text\n")]);
        assert_eq!(checked("a.tar", same).verdict, Verdict::JustData);
    }

    #[test]
    fn what_follows_the_end_is_news() {
        let one = archive(&[entry("a.txt", b'0', b"text\n")]);
        let report = checked("a.tar", [one.clone(), one.clone()].concat());
        assert_eq!(rules_of(&report), ["file-hidden"]);
        assert_eq!(checked("a.tar", [one.clone(), vec![0; 8192]].concat()).verdict, Verdict::JustData);
        assert_eq!(rules_of(&checked("a.tar", [one, b"behind".to_vec()].concat())), ["unexplained-bytes"]);
    }

    #[test]
    fn sparse_files_are_unfinished() {
        let mut block = header("a.img", b'S', 5, "");
        block[257..265].copy_from_slice(b"ustar  \0");
        block[482] = 1;
        let bytes = archive(&[sealed(block), vec![0; 512], [b"text\n".to_vec(), vec![0; 507]].concat()]);
        let report = checked("a.tar", bytes);
        assert_eq!(report.verdict, Verdict::Unfinished);
        assert_eq!(report.layers[1].len, 5);
    }
}
