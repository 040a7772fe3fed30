//! ZIP archives.
//!
//! Specification: PKWARE APPNOTE.TXT 6.3.10.
//!
//! ```text
//! [anything]                                            a program that unpacks itself, or a lie
//! entry*       = PK 03 04 | version flags method time crc32 sizes | name | extra
//!                data
//!                [ [PK 07 08] crc32 sizes ]             data descriptor, with flag bit 3
//! directory    = ( PK 01 02 | … sizes, attributes, offset of the entry | name | extra | comment )*
//! [ PK 06 06 | zip64 end record ] [ PK 06 07 | zip64 locator ]
//! end          = PK 05 06 | counts, length and offset of the directory | comment
//! ```
//! Every file is described twice, and programs differ in which description they believe: most go by the directory,
//! streaming ones by the headers in front of the data. Both are read here, and compared. What neither mentions stays
//! without an owner, and is swept. Flags never hide content: what can be read is read, whatever the flags say.

mod directory;

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    rc::Rc,
};

use self::directory::{
    AES, Archive, DEFLATED, ENCRYPTED, LOCAL, PATCHED, STORED, STRONGLY_ENCRYPTED, descriptor_len, extra_block,
    is_volume_mark, read_local, starts_like_one,
};
pub use self::directory::{Entry, Header};
use crate::{
    bytes::Bytes,
    checksum::CRC_32,
    format::{Buried, Candidate, Format, Mark, Nature, Origin, Role, Span, Visit},
    quote::quoted_bytes,
    rule::{Guideline, Rule, Runs, Severity},
    rules::{ENTRY_BEHIND_LINK, ENTRY_WITHOUT_NAME, LINK_LEAVES_FOLDER, NAME_DECEIVES, NAME_LEAVES_FOLDER},
    sorting,
    source::{Inflated, Paged, Source, Wrapping},
    stop::Stop,
    stored_names::{deceives, folders_of, leaves_folder, link_leaves_folder, normal},
};

/// ZIP.
pub static FORMAT: Format = Format {
    id: "zip",
    name: "a ZIP archive",
    spec: "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT",
    extensions: &["zip", "zipx"],
    media_types: &["application/zip"],
    // Programs find an archive by its end, so that any bytes may stand in front of it.
    marks: &[],
    confirm,
    read,
    buried: Buried::AnywhereMarked(&[Mark::start(LOCAL)], confirm_buried),
    nature: Nature::Container,
    within: None,
    rules: &[
        &CHECKSUM_WRONG,
        &DIRECTORIES_DIFFER,
        &DUPLICATE_NAMES,
        &ENCRYPTION_LIES,
        &ENTRIES_OVERLAP,
        &HEADERS_DISAGREE,
        &NAMES_COLLIDE,
    ],
};

/// The two headers of one file differ.
static HEADERS_DISAGREE: Rule = Rule {
    id: "zip-headers-disagree",
    title: "This archive describes one of its files in two different ways",
    why: "Every file is described twice, and programs differ in which description they believe: a check sees one file, \
          the program that opens the archive another.",
    advice: "Ask the sender to pack it anew, or unpack it with a program that you trust and look at what came out.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2025-1944"],
};

/// More than one end record or directory fits, or they contradict themselves.
static DIRECTORIES_DIFFER: Rule = Rule {
    id: "zip-directories-differ",
    title: "This archive has tables of contents that contradict each other",
    why: "Programs that look for the table in different ways see different files in this archive.",
    advice: "Ask the sender to pack it anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"],
};

/// Two files share bytes.
static ENTRIES_OVERLAP: Rule = Rule {
    id: "zip-entries-overlap",
    title: "Files in this archive share the same bytes",
    why: "A small archive can unpack to any size that way, which fills the disk; and a file can hide inside another.",
    advice: "Do not unpack it.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://www.bamsoftware.com/hacks/zipbomb/"],
};

/// Flags that say encrypted over plain data.
static ENCRYPTION_LIES: Rule = Rule {
    id: "zip-encryption-lies",
    title: "This archive says that a file is encrypted, and it is not",
    why: "Programs that believe the flags refuse to look inside; programs that ignore them read on. That is how content \
          gets past a check.",
    advice: "Ask the sender to pack it anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2025-1945"],
};

/// Two different files under one name.
static DUPLICATE_NAMES: Rule = Rule {
    id: "zip-duplicate-names",
    title: "Two different files in this archive have the same name",
    why: "Programs differ in which of the two they take: a check may see one, the program that opens the archive the other.",
    advice: "Ask the sender to pack it anew.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &[],
};

/// Names that are one on some systems.
static NAMES_COLLIDE: Rule = Rule {
    id: "zip-names-collide",
    title: "Names in this archive are the same on some computers",
    why: "Where upper and lower case do not count, one of the files overwrites the other.",
    advice: "Nothing to do, unless both matter.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &[],
};

/// A CRC-32 that does not fit. Not more than a note: PyTorch can be told to leave it out.
static CHECKSUM_WRONG: Rule = Rule {
    id: "zip-checksum-wrong",
    title: "A checksum in this archive is wrong",
    why: "The content is not what was packed, or the checksum was left out. Some programs refuse such a file, others do not look.",
    advice: "If you did not expect it, ask for the file again.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Note,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2025-10156"],
};

/// The files of the archive in these bytes, in the order of its directory; for formats that are ZIP archives.
///
/// # Errors
/// Those of the source and the budget; an archive without a directory gives what its local headers say.
pub fn entries(bytes: &Bytes) -> Result<Vec<Entry>, Stop> {
    Ok(Archive::read(bytes, false)?.entries)
}

/// The content of a file, by the method that the directory names: as much of it as can be decoded.
///
/// # Errors
/// [`Stop::Unsupported`] for a method that is not decoded; those of the source and the budget.
pub fn content(bytes: &Bytes, entry: &Entry) -> Result<Bytes, Stop> {
    match Content::of(bytes, &entry.data, entry.central.method)? {
        Some(content) => Ok(Bytes::whole(content.source, bytes.budget().clone())),
        None => Err(Stop::unsupported(entry.data.start, method_name(entry.central.method))),
    }
}

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let bytes = candidate.bytes;
    if starts_like_one(bytes)? {
        return Ok(true);
    }
    let Some(directory) = directory::Directory::from_end(bytes)? else { return Ok(false) };
    let alone = directory.ends.iter().any(|end| end.start == bytes.start());
    Ok(!directory.range.is_empty() || alone)
}

/// Four bytes are found by chance: the header behind them must make sense as a whole.
fn confirm_buried(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let bytes = candidate.bytes;
    let Some(local) = read_local(bytes, bytes.start())? else { return Ok(false) };
    let version = bytes.peek(bytes.start().saturating_add(4), 1)?;
    let version_known = version.first().is_some_and(|version| *version <= 63);
    let method_known = matches!(local.method, 0..=20 | 93..=99);
    let name_fits = local.name.len() <= 4096 && !local.name.iter().any(|byte| *byte < 0x20);
    let data_fits = local.is_described() || local.range.end.saturating_add(local.compressed_len) <= bytes.end();
    Ok(version_known && method_known && name_fits && data_fits)
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let bytes = visit.bytes;
    let archive = Archive::read(bytes, matches!(visit.origin, Origin::Hidden | Origin::Opaque))?;
    if is_declared_by_another(visit, &archive)? {
        visit.withdraw();
        return Ok(());
    }
    if is_volume_mark(bytes, 0)? && starts_like_one(bytes)? {
        visit.structure(0..4, "mark of a split archive")?;
    }
    if let Some(directory) = &archive.directory {
        for end in &directory.ends {
            visit.structure(end.clone(), "end record")?;
        }
        visit.slack(directory.comment.clone(), "archive comment")?;
        if directory.spanned {
            visit.note(Stop::unsupported(directory.range.end, "one volume of a split archive"));
        }
    }
    // Among raw values an archive is often in pieces, in any order: that is damage, not a lie.
    let may_be_pieces = visit.origin == Origin::Opaque;
    if may_be_pieces {
        let disagreement = archive.contradictions.first().map(|(place, _)| place.start);
        if let Some(at) = disagreement {
            visit.note(Stop::malformed(at, "tables of contents that agree"));
        }
        // What lies between the pieces is as raw as what lies around them.
        let end = archive.entries.iter().map(|entry| entry.data.end).max().unwrap_or(0);
        visit.opaque(0..archive.directory.as_ref().map_or(end, |directory| directory.comment.end), "raw values")?;
    } else {
        for (place, words) in &archive.contradictions {
            visit.find(&DIRECTORIES_DIFFER, place.clone(), words.clone())?;
        }
        find_overlaps(visit, &archive)?;
    }
    find_collisions(visit, &archive.entries)?;

    let links: HashSet<Vec<u8>> =
        archive.entries.iter().filter(|entry| entry.is_link()).map(|entry| normal(&entry.central.name)).collect();
    let mut opened: HashSet<(u64, u64)> = HashSet::new();
    for entry in &archive.entries {
        claim_headers(visit, entry, archive.directory.is_some())?;
        find_names(visit, entry, &links)?;
        find_disagreements(visit, entry)?;
        if opened.insert((entry.data.start, entry.data.end)) {
            read_content(visit, entry)?;
        }
    }
    archive.stop.map_or(Ok(()), Err)
}

/// Whether the byte at `at` belongs to a member of an archive that starts with the layer.
///
/// # Errors
/// Those of the source and the budget.
pub(super) fn holds(bytes: &Bytes, at: u64) -> Result<bool, Stop> {
    if !starts_like_one(bytes)? {
        return Ok(false);
    }
    match Archive::read(bytes, false) {
        Ok(archive) => Ok(archive.entries.iter().any(|entry| entry.data.contains(&at))),
        Err(stop) if stop.ends_check() => Err(stop),
        Err(_) => Ok(false),
    }
}

/// Whether an archive behind other bytes is a part that the format in front of it opened (a bundle as the last
/// element of an image): then that format's books tell of it, and these bytes are not two files at once.
fn is_declared_by_another(visit: &mut Visit<'_>, archive: &Archive) -> Result<bool, Stop> {
    if starts_like_one(visit.bytes)? {
        return Ok(false);
    }
    let Some(start) = archive.entries.iter().map(|entry| entry.local_at).min() else { return Ok(false) };
    let Some(end) = archive.directory.as_ref().map(|directory| directory.comment.end) else { return Ok(false) };
    Ok(visit
        .openings()
        .iter()
        .any(|opening| opening.offset.is_some_and(|at| at <= start && at.saturating_add(opening.source.len()) >= end)))
}

fn claim_headers(visit: &mut Visit<'_>, entry: &Entry, has_directory: bool) -> Result<(), Stop> {
    let bytes = visit.bytes;
    if has_directory {
        claim_header(visit, &entry.central, "central directory")?;
    }
    let Some(local) = &entry.local else {
        visit.note(Stop::malformed(entry.local_at, "a local file header"));
        return Ok(());
    };
    claim_header(visit, local, "local header")?;
    let mut len = descriptor_len(bytes, entry.data.end, &entry.central)?;
    if len == 0 && local.is_described() && !entry.is_folder() {
        let unknown = Header { compressed_len: 0, len: 0, ..local.clone() };
        len = descriptor_len(bytes, entry.data.end, &unknown)?;
        if len > 0 {
            let place = entry.data.end..entry.data.end.saturating_add(len);
            let message = format!("{}: the descriptor behind its data says otherwise.", quoted_bytes(&local.name));
            visit.find(&HEADERS_DISAGREE, place, message)?;
        }
    }
    visit.structure(entry.data.end..entry.data.end.saturating_add(len), "local header")
}

fn claim_header(visit: &mut Visit<'_>, header: &Header, what: &'static str) -> Result<(), Stop> {
    visit.structure(header.range.start..header.extra.start, what)?;
    let name_len = header.name.len() as u64;
    if name_len > LONG_NAME {
        visit.slack(header.extra.start.saturating_sub(name_len)..header.extra.start, "long name")?;
    }
    claim_extra(visit, header.extra.clone(), what)?;
    visit.slack(header.comment.clone(), "entry comment")
}

/// Longer names than any system takes are room for something else.
const LONG_NAME: u64 = 1024;

/// Registered blocks of an extra field are read; of others nobody knows what they hold.
fn claim_extra(visit: &mut Visit<'_>, range: Range<u64>, what: &'static str) -> Result<(), Stop> {
    if range.is_empty() {
        return Ok(());
    }
    let extra = visit.bytes.window(range.clone()).all()?;
    let mut rest = extra.as_slice();
    let mut at = range.start;
    while let Ok((behind, (id, block))) = extra_block(rest) {
        let end = at.saturating_add(rest.len().saturating_sub(behind.len()) as u64);
        let registered = matches!(id, 0x0001 | 0x000a | 0x5455 | 0x5855 | 0x7855 | 0x7875 | 0x7075 | 0x9901 | 0xcafe);
        if registered && block.len() <= 256 {
            visit.structure(at..end, what)?;
        } else {
            visit.slack(at..end, "extra field")?;
        }
        (rest, at) = (behind, end);
    }
    visit.slack(at..range.end, "extra field")
}

fn find_names(visit: &mut Visit<'_>, entry: &Entry, links: &HashSet<Vec<u8>>) -> Result<(), Stop> {
    let mut names: Vec<(&[u8], &Range<u64>)> = vec![(&entry.central.name, &entry.central.range)];
    names.extend(entry.central.unicode_name.iter().map(|name| (name.as_slice(), &entry.central.range)));
    if let Some(local) = &entry.local {
        names.push((&local.name, &local.range));
        names.extend(local.unicode_name.iter().map(|name| (name.as_slice(), &local.range)));
    }
    if normal(&entry.central.name).is_empty() && !entry.data.is_empty() {
        let message = format!(
            "{} bytes are stored under the name {}.",
            entry.data.end.saturating_sub(entry.data.start),
            quoted_bytes(&entry.central.name)
        );
        visit.find(&ENTRY_WITHOUT_NAME, entry.central.range.clone(), message)?;
    }
    let mut told: HashSet<&[u8]> = HashSet::new();
    for (name, place) in names {
        if !told.insert(name) {
            continue;
        }
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
    Ok(())
}

fn find_disagreements(visit: &mut Visit<'_>, entry: &Entry) -> Result<(), Stop> {
    let Some(local) = &entry.local else { return Ok(()) };
    let central = &entry.central;
    let mut differences: Vec<String> = Vec::new();
    let slashed = |name: &[u8]| name.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect::<Vec<_>>();
    if local.name != central.name && slashed(&local.name) != slashed(&central.name) {
        differences.push(format!(
            "the directory calls it {}, the header in front of it {}",
            quoted_bytes(&central.name),
            quoted_bytes(&local.name)
        ));
    }
    // The second name is for what the first cannot spell: two plain ones are one too many.
    let second = central.unicode_name.as_ref().filter(|name| name.is_ascii() && central.name.is_ascii());
    if let Some(name) = second.filter(|name| **name != central.name) {
        differences.push(format!("{} has a second name, {}", quoted_bytes(&central.name), quoted_bytes(name)));
    }
    let sealed = ENCRYPTED | STRONGLY_ENCRYPTED;
    let numbers = [
        ("method", u64::from(central.method), u64::from(local.method), false),
        ("encryption flags", (central.flags & sealed).into(), (local.flags & sealed).into(), false),
        ("compressed length", central.compressed_len, local.compressed_len, local.is_described()),
        ("length", central.len, local.len, local.is_described()),
        ("CRC-32", central.crc32.into(), local.crc32.into(), local.is_described()),
    ];
    for (what, in_directory, in_front, described) in numbers {
        let unsaid = described && matches!(in_front, 0 | 0xffff_ffff);
        if in_directory != in_front && !unsaid {
            differences.push(format!("{what} {in_directory} in the directory, {in_front} in front of it"));
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    if visit.origin == Origin::Opaque {
        visit.note(Stop::malformed(local.range.start, "a local header that agrees with the directory"));
        return Ok(());
    }
    let message = format!("{}: {}.", quoted_bytes(&central.name), differences.join("; "));
    visit.find(&HEADERS_DISAGREE, local.range.clone(), message)
}

/// Reports once where files share bytes with each other or with the directory: one bomb has thousands.
fn find_overlaps(visit: &mut Visit<'_>, archive: &Archive) -> Result<(), Stop> {
    let mut spans: Vec<(Range<u64>, Option<&Entry>)> = archive
        .entries
        .iter()
        .filter(|entry| entry.local.is_some())
        .map(|entry| (entry.local_at..entry.data.end, Some(entry)))
        .collect();
    if let Some(directory) = &archive.directory {
        spans.push((directory.range.clone(), None));
    }
    sorting::by_key(&mut spans, |(span, _)| (span.start, span.end));
    let mut last: Option<&(Range<u64>, Option<&Entry>)> = None;
    let mut first_overlap = None;
    let mut count = 0u64;
    for span in &spans {
        if let Some(last) = last
            && span.0.start < last.0.end
        {
            count = count.saturating_add(1);
            first_overlap = first_overlap.or(Some((last, span)));
        }
        if last.is_none_or(|last| span.0.end > last.0.end) {
            last = Some(span);
        }
    }
    let Some((first, second)) = first_overlap else { return Ok(()) };
    let called =
        |entry: Option<&Entry>| entry.map_or("the directory".to_string(), |entry| quoted_bytes(&entry.central.name));
    let message = format!("{} and {} overlap; {count} overlaps in all.", called(first.1), called(second.1));
    visit.find(&ENTRIES_OVERLAP, second.0.start..second.0.end.min(first.0.end), message)
}

fn find_collisions(visit: &mut Visit<'_>, entries: &[Entry]) -> Result<(), Stop> {
    let mut names: HashMap<Vec<u8>, &Entry> = HashMap::with_capacity(entries.len());
    let mut folded: HashSet<String> = HashSet::with_capacity(entries.len());
    for entry in entries {
        let place = entry.central.range.clone();
        let name = quoted_bytes(&entry.central.name);
        let is_new_folded = folded.insert(entry.name.to_lowercase());
        match names.insert(normal(&entry.central.name), entry) {
            Some(other) => {
                let same = (other.central.crc32, other.central.len) == (entry.central.crc32, entry.central.len);
                let rule = if same || entry.is_folder() { &NAMES_COLLIDE } else { &DUPLICATE_NAMES };
                visit.find(rule, place, format!("{name} is there more than once."))?;
            }
            None if !is_new_folded => {
                visit.find(&NAMES_COLLIDE, place, format!("{name} differs from another name in case only."))?;
            }
            None => {}
        }
    }
    Ok(())
}

/// What stands in front of a reader who decodes an entry.
struct Content {
    source: Rc<dyn Source>,
    /// Bytes of the data that the stream takes.
    taken: u64,
    /// Of deflated data only: a stored file is read once more for it.
    crc32: Option<u32>,
    stop: Option<Stop>,
}

impl Content {
    /// `None` for a method that is not decoded.
    fn of(bytes: &Bytes, data: &Range<u64>, method: u16) -> Result<Option<Self>, Stop> {
        let window = bytes.window(data.clone());
        match method {
            STORED => Ok(Some(Content { source: window.rebased(), taken: window.len(), crc32: None, stop: None })),
            DEFLATED => {
                let inflated = Inflated::measure(window, Wrapping::Bare)?;
                let (taken, crc32) = (inflated.compressed_len(), Some(inflated.crc32()));
                let stop = inflated.stop().cloned();
                let source: Rc<dyn Source> = Rc::new(Paged::new(Rc::new(inflated), 64 << 10, 4));
                Ok(Some(Content { source, taken, crc32, stop }))
            }
            _ => Ok(None),
        }
    }
}

/// A stored file longer than this is not read a second time only for its checksum, in bytes.
const CHECKED: u64 = 64 << 20;

fn read_content(visit: &mut Visit<'_>, entry: &Entry) -> Result<(), Stop> {
    let central = &entry.central;
    let Some(local) = &entry.local else { return Ok(()) };
    let declared_end = local.range.end.saturating_add(central.compressed_len);
    if declared_end > visit.bytes.end() {
        visit.note(Stop::malformed(visit.bytes.end(), "the rest of an entry's data"));
    }
    if entry.data.is_empty() {
        return Ok(());
    }
    let flags = central.flags | local.flags;
    let sealed = flags & (ENCRYPTED | STRONGLY_ENCRYPTED) != 0 || central.method == AES;
    let Some(content) = Content::of(visit.bytes, &entry.data, central.method)? else {
        visit.opaque(entry.data.clone(), if sealed { "encrypted data" } else { "compressed data" })?;
        visit.note(match sealed {
            true => Stop::encrypted(entry.data.start, encryption_name(central, flags)),
            false => Stop::unsupported(entry.data.start, method_name(central.method)),
        });
        return read_other_view(visit, entry, local);
    };
    let len = content.source.len();
    let crc32 = match content.crc32 {
        Some(crc32) => Some(crc32),
        None if len <= CHECKED => Some(crc32_of(&visit.bytes.window(entry.data.clone()))?),
        None => None,
    };
    let crc_fits = crc32.is_none_or(|crc32| crc32 == central.crc32);
    let reads = content.stop.is_none() && len == central.len;
    // Ciphertext passes neither for a deflate stream of the right length nor for content with the right checksum.
    if sealed && !(reads && (crc_fits || central.method == DEFLATED)) {
        visit.note(Stop::encrypted(entry.data.start, encryption_name(central, flags)));
        if central.method == STORED {
            // Whoever ignores the flag sees these bytes: every format is tried on them.
            return visit.open(&*entry.name, Span::Range(entry.data.clone()), Role::Opaque("encrypted data"));
        }
        return visit.opaque(entry.data.clone(), "encrypted data");
    }
    let name = quoted_bytes(&central.name);
    if sealed || flags & PATCHED != 0 {
        let what = if sealed { "encrypted" } else { "a patch" };
        let message = format!("{name} is declared to be {what} (flags {flags:#06x}) and reads as plain data.");
        visit.find(&ENCRYPTION_LIES, central.range.clone(), message)?;
    }
    if content.stop.is_none() && len != central.len {
        let message = format!("{name}: {} bytes are declared, and it has {len}.", central.len);
        visit.find(&HEADERS_DISAGREE, central.range.clone(), message)?;
    }
    if content.stop.is_none() && !crc_fits {
        visit.find(
            &CHECKSUM_WRONG,
            central.range.clone(),
            format!("The CRC-32 of {name} does not fit its content."),
        )?;
    }
    if let Some(stop) = content.stop {
        visit.note(stop);
    }
    if entry.is_link() && len <= LINK {
        read_link(visit, entry, content.source, content.taken)?;
    } else if central.method == STORED {
        visit.open(&*entry.name, Span::Range(entry.data.clone()), Role::File)?;
    } else {
        let taken = entry.data.start..entry.data.start.saturating_add(content.taken);
        visit.open(&*entry.name, Span::Decoded(taken, content.source), Role::File)?;
    }
    read_other_view(visit, entry, local)
}

/// Where the header in front of the data names another method, programs that believe it see other content.
fn read_other_view(visit: &mut Visit<'_>, entry: &Entry, local: &Header) -> Result<(), Stop> {
    if local.method == entry.central.method {
        return Ok(());
    }
    let Some(content) = Content::of(visit.bytes, &entry.data, local.method)? else { return Ok(()) };
    if content.source.is_empty() {
        return Ok(());
    }
    let taken = entry.data.start..entry.data.start.saturating_add(content.taken);
    let name = format!("{} (by the header in front of it)", entry.name);
    visit.open(name, Span::Decoded(taken, content.source), Role::Opaque("content by the header in front of it"))
}

/// The longest target of a link that is read as one, in bytes.
const LINK: u64 = 4096;

fn read_link(visit: &mut Visit<'_>, entry: &Entry, target: Rc<dyn Source>, taken: u64) -> Result<(), Stop> {
    let target = Bytes::whole(target, visit.bytes.budget().clone()).all()?;
    let range = entry.data.start..entry.data.start.saturating_add(taken);
    visit.structure(range.clone(), "target of a link")?;
    if let Some(why) = link_leaves_folder(&entry.central.name, &target) {
        let message = format!("{} points to {}: {why}.", quoted_bytes(&entry.central.name), quoted_bytes(&target));
        visit.find(&LINK_LEAVES_FOLDER, range, message)?;
    }
    Ok(())
}

fn crc32_of(bytes: &Bytes) -> Result<u32, Stop> {
    let mut hasher = CRC_32.digest();
    let mut buffer = vec![0; usize::try_from(bytes.len()).unwrap_or(usize::MAX).min(256 << 10)];
    let mut at = bytes.start();
    while at < bytes.end() {
        let count = bytes.copy(at, &mut buffer)?;
        hasher.update(buffer.get(..count).unwrap_or_default());
        at = at.saturating_add(count as u64);
    }
    Ok(hasher.finalize())
}

fn encryption_name(header: &Header, flags: u16) -> &'static str {
    if header.method == AES {
        "WinZip AES"
    } else if flags & STRONGLY_ENCRYPTED != 0 {
        "PKWARE strong encryption"
    } else {
        "traditional PKWARE encryption"
    }
}

fn method_name(method: u16) -> String {
    let name = match method {
        1 => "shrunk",
        2..=5 => "reduced",
        6 => "imploded",
        9 => "Deflate64",
        10 => "DCL imploded",
        12 => "bzip2",
        14 => "LZMA",
        16 => "CMPSC",
        18 => "TERSE",
        19 => "LZ77",
        20 | 93 => "Zstandard",
        94 => "MP3",
        95 => "xz",
        96 => "JPEG variant",
        97 => "WavPack",
        98 => "PPMd",
        AES => "AES encryption",
        _ => "unknown",
    };
    format!("compression method {method} ({name})")
}

/// Archives built for tests, of this format and of those within it.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    /// One file of a sample. Every field may lie.
    #[derive(Clone)]
    pub(crate) struct File {
        /// In the directory, and in front of the data.
        pub names: [Vec<u8>; 2],
        pub methods: [u16; 2],
        pub flags: [u16; 2],
        /// As stored: compressed already.
        pub data: Vec<u8>,
        pub len: u32,
        pub crc32: u32,
        pub external: u32,
        /// Whether sizes and checksum stand behind the data only.
        pub described: bool,
        pub is_listed: bool,
    }

    impl File {
        pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
            File {
                names: [name.into(), name.into()],
                methods: [STORED; 2],
                flags: [0; 2],
                data: content.to_vec(),
                len: content.len() as u32,
                crc32: CRC_32.checksum(content),
                external: 0,
                described: false,
                is_listed: true,
            }
        }

        pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
            let data = miniz_oxide::deflate::compress_to_vec(content, 6);
            File { methods: [DEFLATED; 2], data, ..File::stored(name, content) }
        }
    }

    /// A plain archive of stored files.
    pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        build(b"", &files.iter().map(|(name, content)| File::stored(name, content)).collect::<Vec<_>>())
    }

    /// An archive with bytes in front of it, to which its offsets do not refer.
    pub(crate) fn build(prefix: &[u8], files: &[File]) -> Vec<u8> {
        let mut bytes = prefix.to_vec();
        let mut directory = Vec::new();
        for file in files {
            let offset = bytes.len() - prefix.len();
            let described = if file.described { 8u16 } else { 0 };
            let sizes = |bytes: &mut Vec<u8>| {
                bytes.extend(file.crc32.to_le_bytes());
                bytes.extend((file.data.len() as u32).to_le_bytes());
                bytes.extend(file.len.to_le_bytes());
            };
            bytes.extend(b"PK\x03\x04\x14\0");
            bytes.extend((file.flags[1] | described).to_le_bytes());
            bytes.extend(file.methods[1].to_le_bytes());
            bytes.extend([0; 4]);
            if file.described {
                bytes.extend([0; 12])
            } else {
                sizes(&mut bytes)
            }
            bytes.extend((file.names[1].len() as u16).to_le_bytes());
            bytes.extend([0; 2]);
            bytes.extend(&file.names[1]);
            bytes.extend(&file.data);
            if file.described {
                bytes.extend(b"PK\x07\x08");
                sizes(&mut bytes);
            }
            if !file.is_listed {
                continue;
            }
            directory.extend(b"PK\x01\x02\x14\x03\x14\0");
            directory.extend((file.flags[0] | described).to_le_bytes());
            directory.extend(file.methods[0].to_le_bytes());
            directory.extend([0; 4]);
            sizes(&mut directory);
            directory.extend((file.names[0].len() as u16).to_le_bytes());
            directory.extend([0; 8]);
            directory.extend(file.external.to_le_bytes());
            directory.extend((offset as u32).to_le_bytes());
            directory.extend(&file.names[0]);
        }
        let count = files.iter().filter(|file| file.is_listed).count() as u16;
        let offset = bytes.len() - prefix.len();
        let end = end(count, directory.len(), offset);
        bytes.extend(directory);
        bytes.extend(end);
        bytes
    }

    /// An end record without a comment.
    pub(crate) fn end(count: u16, len: usize, offset: usize) -> Vec<u8> {
        let mut bytes = b"PK\x05\x06\0\0\0\0".to_vec();
        bytes.extend(count.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend((len as u32).to_le_bytes());
        bytes.extend((offset as u32).to_le_bytes());
        bytes.extend([0; 2]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{
        sample::{File, archive, build, end},
        *,
    };
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn two() -> Vec<u8> {
        let long = "a line of text\n".repeat(100);
        build(b"", &[File::stored("a.txt", b"hello\n"), File::deflated("sub/b.txt", long.as_bytes())])
    }

    fn stops_of(report: &crate::report::Report) -> Vec<&str> {
        report.layers.iter().flat_map(|layer| &layer.stops).map(|stop| stop.kind.as_str()).collect()
    }

    #[test]
    fn files_are_opened_and_every_byte_has_an_owner() {
        let report = checked("two.zip", two());
        assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
        assert_eq!(report.findings.len(), 0);
        let names: Vec<_> = report.layers.iter().map(|layer| (layer.name.as_str(), layer.len)).collect();
        assert_eq!(names, [("two.zip", two().len() as u64), ("a.txt", 6), ("sub/b.txt", 1500)]);
        assert_eq!(report.layers[0].coverage.unexplained, 0);
    }

    #[test]
    fn an_archive_cut_anywhere_is_never_just_data() {
        let sample = two();
        // "PK" alone is text.
        for len in 3..sample.len() {
            let report = checked("two.zip", &sample[..len]);
            assert_ne!(report.verdict, Verdict::JustData, "{len}");
        }
    }

    #[test]
    fn flipped_bytes_do_no_harm() {
        let sample = two();
        for at in 0..sample.len() {
            for bits in [0x01, 0x80, 0xff] {
                let mut bytes = sample.clone();
                bytes[at] ^= bits;
                checked("two.zip", bytes);
            }
        }
    }

    #[test]
    fn names_that_leave_the_folder_are_found() {
        for name in ["../up.txt", "/root.txt", "..\\up.txt", "C:/x.txt"] {
            assert_eq!(rules_of(&checked("a.zip", archive(&[(name, b"text\n")]))), ["name-leaves-folder"], "{name}");
        }
        for name in ["a/b/up.txt", "..txt", "a..b/c", "windows\\style.txt"] {
            assert_eq!(checked("a.zip", archive(&[(name, b"text\n")])).verdict, Verdict::JustData, "{name}");
        }
        // In front of the data only.
        let mut file = File::stored("up.txt", b"text\n");
        file.names[1] = b"../up.txt".to_vec();
        let report = checked("a.zip", build(b"", &[file]));
        assert_eq!(rules_of(&report), ["name-leaves-folder", "zip-headers-disagree"]);
    }

    #[test]
    fn a_file_without_a_name_is_found() {
        for name in ["", ".", "/"] {
            let report = checked("a.zip", archive(&[(name, b"text\n"), ("b.txt", b"text\n")]));
            assert!(rules_of(&report).contains(&"entry-without-name"), "{name}");
        }
        assert_eq!(checked("a.zip", archive(&[("./", b""), ("./b.txt", b"text\n")])).verdict, Verdict::JustData);
    }

    #[test]
    fn links_are_followed() {
        let link = |target: &[u8]| File { external: 0o120_777 << 16, ..File::stored("sub/link", target) };
        assert_eq!(rules_of(&checked("a.zip", build(b"", &[link(b"/etc/passwd")]))), ["link-leaves-folder"]);
        assert_eq!(rules_of(&checked("a.zip", build(b"", &[link(b"../../x")]))), ["link-leaves-folder"]);
        assert_eq!(checked("a.zip", build(b"", &[link(b"../x")])).verdict, Verdict::JustData);
        let through = build(b"", &[link(b"../x"), File::stored("sub/link/file.txt", b"text\n")]);
        assert_eq!(rules_of(&checked("a.zip", through)), ["entry-behind-link"]);
    }

    #[test]
    fn headers_are_compared() {
        let honest = File::stored("a.txt", b"text\n");
        let mut renamed = honest.clone();
        renamed.names[1] = b"b.txt".to_vec();
        assert_eq!(rules_of(&checked("a.zip", build(b"", &[renamed]))), ["zip-headers-disagree"]);

        let mut other = File::deflated("a.txt", &b"text\n".repeat(20));
        other.methods[0] = STORED;
        other.len = other.data.len() as u32;
        other.crc32 = CRC_32.checksum(&other.data);
        let report = checked("a.zip", build(b"", &[other]));
        assert_eq!(rules_of(&report), ["zip-headers-disagree"]);
        assert!(report.layers.iter().any(|layer| layer.len == 100), "both views are read: {report:#?}");

        // An Info-ZIP Unicode path, in the directory.
        let named_twice = |second: &[u8]| {
            let mut bytes = archive(&[("a.txt", b"text\n")]);
            let start = bytes.len() - 22 - 51;
            let mut extra = [b"up".as_slice(), &(second.len() as u16 + 5).to_le_bytes(), &[1]].concat();
            extra.extend(CRC_32.checksum(b"a.txt").to_le_bytes());
            extra.extend(second);
            bytes[start + 30] = extra.len() as u8;
            let at = bytes.len() - 22;
            bytes.splice(at..at, extra.clone());
            let len = bytes.len();
            bytes[len - 10] += extra.len() as u8;
            checked("a.zip", bytes)
        };
        assert_eq!(rules_of(&named_twice(b"b.exe")), ["zip-headers-disagree"]);
        assert_eq!(named_twice("ä.txt".as_bytes()).verdict, Verdict::JustData);

        let described = File { described: true, ..File::deflated("a.txt", b"text text text\n") };
        assert_eq!(checked("a.zip", build(b"", &[described])).verdict, Verdict::JustData);
    }

    #[test]
    fn a_length_that_lies_is_found() {
        let mut file = File::deflated("a.txt", &b"text\n".repeat(20));
        file.len = 5;
        assert_eq!(rules_of(&checked("a.zip", build(b"", &[file]))), ["zip-headers-disagree"]);
        let mut padded = File::deflated("a.txt", &b"text\n".repeat(20));
        padded.data.extend(b"hidden");
        assert_eq!(rules_of(&checked("a.zip", build(b"", &[padded]))), ["unexplained-bytes"]);
    }

    #[test]
    fn a_file_that_the_directory_leaves_out_is_found() {
        let unlisted = File { is_listed: false, ..File::stored("b.txt", b"hidden\n") };
        let report = checked("a.zip", build(b"", &[File::stored("a.txt", b"text\n"), unlisted]));
        assert_eq!(rules_of(&report), ["file-hidden"]);
        assert!(report.layers.iter().any(|layer| layer.name == "b.txt"));
    }

    #[test]
    fn flags_do_not_hide_plain_content() {
        for flag in [ENCRYPTED, PATCHED, STRONGLY_ENCRYPTED] {
            for file in [File::stored("a.txt", b"text\n"), File::deflated("a.txt", b"text text text\n")] {
                let mut file = file;
                file.flags = [flag; 2];
                let report = checked("a.zip", build(b"", &[file]));
                assert_eq!(rules_of(&report), ["zip-encryption-lies"], "{flag}");
                assert_eq!(report.layers[1].formats, ["text"]);
            }
        }
    }

    #[test]
    fn ciphertext_is_unfinished() {
        let noise: Vec<u8> = (0..300u32).map(|n| (n.wrapping_mul(0x9E37_79B1) >> 13) as u8).collect();
        for method in [STORED, DEFLATED, AES] {
            let file = File { methods: [method; 2], flags: [ENCRYPTED; 2], len: 288, ..File::stored("a.txt", &noise) };
            let report = checked("a.zip", build(b"", &[file]));
            assert_eq!(report.verdict, Verdict::Unfinished, "{method}");
            assert_eq!(stops_of(&report), ["encrypted"]);
        }
    }

    #[test]
    fn other_methods_are_named() {
        let file = File { methods: [14; 2], ..File::stored("a.txt", b"packed otherwise") };
        let report = checked("a.zip", build(b"", &[file]));
        assert_eq!(report.verdict, Verdict::Unfinished);
        assert_eq!(stops_of(&report), ["unsupported"]);
        assert!(report.layers[0].stops[0].message.contains("LZMA"));
    }

    #[test]
    fn a_wrong_checksum_stops_nothing() {
        let file = File { crc32: 1, ..File::deflated("a.txt", b"text text text\n") };
        let report = checked("a.zip", build(b"", &[file]));
        assert_eq!(report.verdict, Verdict::JustData);
        assert_eq!(report.findings[0].rule, "zip-checksum-wrong");
        assert_eq!(report.layers[1].formats, ["text"]);
    }

    #[test]
    fn bytes_in_front_and_behind_are_news() {
        let files = [File::stored("a.txt", b"text\n")];
        assert_eq!(rules_of(&checked("a.zip", build(b"\x01in front", &files))), ["unexplained-bytes"]);
        assert_eq!(
            rules_of(&checked("a.zip", [build(b"", &files), b"\x01behind".to_vec()].concat())),
            ["unexplained-bytes"]
        );
        let doubled = [build(b"", &files), build(b"", &[File::stored("b.txt", b"other\n")])].concat();
        let report = checked("a.zip", doubled);
        assert_eq!(rules_of(&report), ["file-hidden"]);
        assert!(["a.txt", "b.txt"].iter().all(|name| report.layers.iter().any(|layer| layer.name == *name)));
        let split = [b"PK00".to_vec(), build(b"", &files)].concat();
        assert_eq!(checked("a.zip", split).verdict, Verdict::JustData);
    }

    #[test]
    fn an_archive_hidden_behind_text_is_read() {
        let mut comment = archive(&[("a.txt", b"text\n")]);
        let inner = archive(&[("../up.txt", b"hidden\n")]);
        let at = comment.len() - 2;
        comment[at..].copy_from_slice(&((inner.len() + 3) as u16).to_le_bytes());
        comment.extend(inner);
        comment.extend(b"end");
        let report = checked("a.zip", comment);
        assert_eq!(rules_of(&report), ["file-hidden", "name-leaves-folder"]);
    }

    #[test]
    fn overlapping_files_are_found_and_read_once() {
        let sample = archive(&[("a.txt", b"text\n")]);
        let end_at = sample.len() - 22;
        let directory = &sample[sample.len() - 22 - 51..end_at];
        let mut second = directory.to_vec();
        second[46] = b'b';
        let bytes = [&sample[..end_at], &second, &end(2, 102, end_at - 51)].concat();
        let report = checked("a.zip", bytes);
        assert_eq!(rules_of(&report), ["zip-entries-overlap", "zip-headers-disagree"]);
        assert_eq!(report.layers.len(), 2);
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let layer = |content: &[u8]| build(b"", &[File::deflated("inner.zip", content)]);
        let mut bytes = archive(&[("a.txt", b"text\n")]);
        for _ in 0..40 {
            bytes = layer(&bytes);
        }
        let report = checked("deep.zip", bytes);
        assert_eq!(report.verdict, Verdict::Unfinished);
        assert_eq!(stops_of(&report), ["exhausted"]);
    }

    #[test]
    fn two_files_of_one_name_are_found() {
        let twice = |first: &[u8], second: &[u8]| {
            rules_of(&checked("a.zip", archive(&[("a.txt", first), ("a.txt", second)])))
                .into_iter()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert_eq!(twice(b"one\n", b"two\n"), ["zip-duplicate-names"]);
        assert_eq!(twice(b"one\n", b"one\n"), [""; 0]);
        assert_eq!(
            checked("a.zip", archive(&[("a.txt", b"1\n"), ("A.txt", b"2\n")])).findings[0].rule,
            "zip-names-collide"
        );
    }

    #[test]
    fn directories_that_contradict_are_found() {
        let sample = archive(&[("a.txt", b"text\n")]);
        let mut bytes = sample.clone();
        let count = bytes.len() - 22 + 8;
        bytes[count..count + 4].copy_from_slice(&[2, 0, 2, 0]);
        assert_eq!(rules_of(&checked("a.zip", bytes)), ["zip-directories-differ"]);
        let mut zip64 = sample[..sample.len() - 22].to_vec();
        let (end_at, start) = (zip64.len() as u64, zip64.len() as u64 - 51);
        let record = |len: u64, offset: u64| {
            let mut record = b"PK\x06\x06".to_vec();
            record.extend(44u64.to_le_bytes());
            record.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            [1, 1, len, offset].iter().for_each(|number: &u64| record.extend(number.to_le_bytes()));
            record.extend(b"PK\x06\x07\0\0\0\0");
            record.extend(end_at.to_le_bytes());
            record.extend(1u32.to_le_bytes());
            record
        };
        zip64.extend(record(51, start));
        let honest = [zip64.clone(), end(0xffff, 0xffff_ffff, 0xffff_ffff)].concat();
        assert_eq!(checked("a.zip", honest).verdict, Verdict::JustData);
        let lying = [zip64, end(7, 51, 3)].concat();
        assert_eq!(rules_of(&checked("a.zip", lying)), ["zip-directories-differ"]);
    }

    #[test]
    fn an_empty_archive_is_just_data() {
        assert_eq!(checked("a.zip", end(0, 0, 0)).verdict, Verdict::JustData);
        let report = checked("a.txt", [b"text\n".to_vec(), end(0, 0, 0)].concat());
        assert_ne!(report.verdict, Verdict::JustData);
    }

    #[test]
    fn refining_formats_see_the_entries() {
        let bytes = Bytes::of(two());
        let entries = entries(&bytes).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["a.txt", "sub/b.txt"]);
        assert_eq!(content(&bytes, &entries[0]).unwrap().all().unwrap(), b"hello\n");
        assert_eq!(content(&bytes, &entries[1]).unwrap().len(), 1500);
    }

    #[test]
    fn marks_alone_are_no_archive() {
        for bytes in
            [&b"PK\x03\x04"[..], b"PK\x05\x06", &[b'P'; 100], &[b"PK\x03\x04".as_slice(), &[0xff; 60]].concat()]
        {
            assert!(!checked("x", bytes).layers[0].formats.contains(&"zip".to_string()));
        }
    }
}
