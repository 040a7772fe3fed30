use crate::{
    check::tests::{checked, rules_of},
    report::Verdict,
};

const PAGE: usize = 512;

/// A value of a row.
enum Value<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Number(u8),
}
use Value::{Bytes, Number, Text};

fn varint(value: usize) -> Vec<u8> {
    if value < 128 { vec![value as u8] } else { vec![(value >> 7) as u8 | 0x80, value as u8 & 0x7f] }
}

/// The payload of a row.
fn row(values: &[Value]) -> Vec<u8> {
    let (mut kinds, mut content) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Text(text) => {
                kinds.extend(varint(text.len() * 2 + 13));
                content.extend(text.as_bytes());
            }
            Bytes(bytes) => {
                kinds.extend(varint(bytes.len() * 2 + 12));
                content.extend(*bytes);
            }
            Number(number) => {
                kinds.push(1);
                content.push(*number);
            }
        }
    }
    [varint(kinds.len() + 1), kinds, content].concat()
}

/// A leaf of a table with these payloads, its cells at the end; on the first page, behind the header.
fn leaf(start: usize, payloads: &[Vec<u8>]) -> Vec<u8> {
    let cells: Vec<Vec<u8>> = payloads
        .iter()
        .enumerate()
        .map(|(number, payload)| [varint(payload.len()), varint(number + 1), payload.clone()].concat())
        .collect();
    leaf_of(start, &cells)
}

fn leaf_of(start: usize, cells: &[Vec<u8>]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let mut at = PAGE;
    for (number, cell) in cells.iter().enumerate() {
        at -= cell.len();
        page[at..at + cell.len()].copy_from_slice(cell);
        let pointer = start + 8 + number * 2;
        page[pointer..pointer + 2].copy_from_slice(&(at as u16).to_be_bytes());
    }
    page[start] = 13;
    page[start + 3..start + 5].copy_from_slice(&(cells.len() as u16).to_be_bytes());
    page[start + 5..start + 7].copy_from_slice(&(at as u16).to_be_bytes());
    page
}

/// A database with these definitions (kind, name, root page, statement) and further pages.
fn database(definitions: &[(&str, &str, u8, &str)], further: &[Vec<u8>]) -> Vec<u8> {
    let rows: Vec<_> = definitions
        .iter()
        .map(|(kind, name, root, sql)| row(&[Text(kind), Text(name), Text(name), Number(*root), Text(sql)]))
        .collect();
    let mut bytes = leaf(100, &rows);
    bytes[..16].copy_from_slice(b"SQLite format 3\0");
    bytes[16..24].copy_from_slice(&[2, 0, 1, 1, 0, 64, 32, 32]);
    bytes[27] = 1;
    bytes[31] = further.len() as u8 + 1;
    bytes[59] = 1;
    bytes[95] = 1;
    bytes.extend(further.concat());
    bytes
}

const TABLE: (&str, &str, u8, &str) = ("table", "t", 2, "CREATE TABLE t(a, b)");

/// A database of one table with one row.
fn sample(values: &[Value]) -> Vec<u8> {
    database(&[TABLE], &[leaf(0, &[row(values)])])
}

/// A database of one statement that defines no table.
fn stored(kind: &str, sql: &str) -> Vec<u8> {
    database(&[(kind, "s", 0, sql)], &[])
}

const PICKLE: &[u8] = b"cos\nsystem\n(S'echo hello'\ntR.";

#[test]
fn databases_are_just_data() {
    let report = checked("a.sqlite", sample(&[Text("load_extension('x')"), Bytes(&[7; 30])]));
    assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
    assert_eq!(report.layers[0].formats, ["sqlite"]);
    assert_eq!(report.layers[1].coverage.opaque, 30);
    for sql in [
        "CREATE VIEW s AS SELECT a, 'load_extension(1)' FROM t",
        "CREATE VIRTUAL TABLE s USING fts5(a, load_extension)",
        "CREATE VIRTUAL TABLE s USING csv(filename='beside.csv')",
    ] {
        let report = checked("a.sqlite", stored("view", sql));
        assert_eq!((report.verdict, report.findings.len()), (Verdict::JustData, 0), "{sql}");
    }
}

#[test]
fn statements_that_call_out_are_found() {
    for sql in [
        "CREATE VIEW s AS SELECT load_extension('x')",
        "CREATE TRIGGER s AFTER INSERT ON t BEGIN SELECT writefile('x', NEW.a); END",
        "CREATE TABLE s(a, b DEFAULT (readfile('x')))",
        "CREATE VIEW s AS SELECT \"fts3_tokenizer\"('x', a) FROM t",
    ] {
        let report = checked("a.sqlite", stored("view", sql));
        assert_eq!(rules_of(&report), ["sqlite-statement-calls-out"], "{sql}");
    }
    let sql: String = "CREATE VIEW s AS SELECT eval(a)".chars().flat_map(|letter| [letter, '\0']).collect();
    let mut wide = stored("v\0i\0e\0w\0", &sql);
    wide[59] = 2;
    assert_eq!(rules_of(&checked("a.sqlite", wide)), ["sqlite-statement-calls-out"]);
}

#[test]
fn tables_of_other_files_and_of_extensions_are_told() {
    let outside = stored("table", "CREATE VIRTUAL TABLE s USING csv(filename = '/home/a/list.csv', header=yes)");
    assert_eq!(rules_of(&checked("a.sqlite", outside)), ["reference-by-whole-path"]);
    let other = checked("a.sqlite", stored("table", "CREATE VIRTUAL TABLE \"s\" USING acme"));
    assert_eq!((other.verdict, other.findings[0].rule.as_str()), (Verdict::JustData, "sqlite-unknown-module"));
}

#[test]
fn triggers_and_logs_are_notes() {
    let mut bytes = stored("trigger", "CREATE TRIGGER s AFTER DELETE ON t BEGIN DELETE FROM u; END");
    bytes[18..20].copy_from_slice(&[2, 2]);
    let report = checked("a.sqlite", bytes);
    assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]));
    let mut notes: Vec<_> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    notes.sort_unstable();
    assert_eq!(notes, ["sqlite-log-beside", "sqlite-trigger"]);
}

#[test]
fn values_are_read() {
    assert_eq!(checked("a.sqlite", sample(&[Number(1), Bytes(PICKLE)])).verdict, Verdict::Code);
    assert_eq!(checked("a.sqlite", sample(&[Number(1), Text("cos\nsystem\n(S'x'\ntR.")])).verdict, Verdict::JustData);
    // 700 bytes: 192 in the page, 508 in an overflow page.
    let long = [PICKLE, &[b' '; 700 - 29]].concat();
    let payload = row(&[Number(1), Bytes(&long)]);
    let local = 39 + (payload.len() - 39) % 508;
    let cell = [varint(payload.len()), varint(1), payload[..local].to_vec(), vec![0, 0, 0, 3]].concat();
    let mut overflow = [&[0; 4], &payload[local..]].concat();
    overflow.resize(PAGE, 0);
    let report = checked("a.sqlite", database(&[TABLE], &[leaf_of(0, std::slice::from_ref(&cell)), overflow.clone()]));
    assert_eq!(report.verdict, Verdict::Code, "{report:#?}");
    assert_eq!(report.layers[1].len, 700);
    overflow[3] = 3;
    let mut longer = payload.clone();
    longer.extend([0; 600]);
    let turning = [varint(longer.len()), cell[2..].to_vec()].concat();
    let report = checked("a.sqlite", database(&[TABLE], &[leaf_of(0, &[turning]), overflow]));
    assert!(!report.layers[0].stops.is_empty(), "{report:#?}");
}

#[test]
fn what_is_hidden_in_room_is_found() {
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xffabc\xc2\x41\x24\x35\x03\0\0\0";
    let mut room = sample(&[Number(1), Number(2)]);
    room[PAGE + 100..PAGE + 100 + gzip.len()].copy_from_slice(gzip);
    assert_eq!(rules_of(&checked("a.sqlite", room)), ["file-hidden"]);

    let mut free = vec![0; PAGE];
    free[7] = 1;
    free[11] = 4;
    let mut page = vec![7; PAGE];
    page[100..100 + gzip.len()].copy_from_slice(gzip);
    let rows = leaf(0, &[row(&[Number(1)])]);
    let mut listed = database(&[TABLE], &[rows.clone(), free, page.clone()]);
    listed[35] = 3;
    listed[39] = 2;
    assert_eq!(rules_of(&checked("a.sqlite", listed.clone())), ["file-hidden"]);
    listed[3 * PAGE..].fill(7);
    assert_eq!(checked("a.sqlite", listed).verdict, Verdict::JustData);
}

#[test]
fn what_nothing_explains_is_news() {
    let rows = leaf(0, &[row(&[Number(1)])]);
    let page = database(&[TABLE], &[rows.clone(), vec![7; PAGE]]);
    assert_eq!(rules_of(&checked("a.sqlite", page)), ["unexplained-bytes"]);
    let behind = [database(&[TABLE], &[rows]), vec![7; 100]].concat();
    assert_eq!(rules_of(&checked("a.sqlite", behind)), ["unexplained-bytes"]);

    let surplus = [row(&[Number(1)]), b"more".to_vec()].concat();
    assert_eq!(rules_of(&checked("a.sqlite", database(&[TABLE], &[leaf(0, &[surplus])]))), ["unexplained-bytes"]);

    let mut gap = leaf(0, &[row(&[Number(1)])]);
    gap[6] -= 20;
    gap[490..500].fill(7);
    let report = checked("a.sqlite", database(&[TABLE], &[gap.clone()]));
    assert_eq!(rules_of(&report), ["unexplained-bytes"]);
    // The same bytes as a free block.
    let at = gap[5..7].to_vec();
    let first = usize::from(at[0]) << 8 | usize::from(at[1]);
    gap[first..first + 4].copy_from_slice(&[0, 0, 0, 20]);
    gap[1..3].copy_from_slice(&at);
    assert_eq!(checked("a.sqlite", database(&[TABLE], &[gap])).verdict, Verdict::JustData);
}

#[test]
fn damage_is_unfinished() {
    let rows = leaf(0, &[row(&[Number(1)]), row(&[Number(2)])]);
    let mut overlapping = rows.clone();
    let (first, second) = overlapping[8..12].split_at_mut(2);
    first.copy_from_slice(second);
    let mut kind = rows.clone();
    kind[0] = 7;
    let missing = ("table", "u", 9, "CREATE TABLE u(a)");
    for bytes in [
        database(&[TABLE], &[overlapping]),
        database(&[TABLE], &[kind]),
        database(&[TABLE, missing], std::slice::from_ref(&rows)),
        database(&[TABLE, ("table", "u", 2, "CREATE TABLE u(a)")], &[rows]),
        stored("view", "SELECT 1"),
    ] {
        let report = checked("a.sqlite", bytes);
        assert_eq!(report.verdict, Verdict::Unfinished, "{report:#?}");
    }
}

#[test]
fn no_cut_is_just_data() {
    let whole = sample(&[Text("text"), Bytes(&[7; 30])]);
    for len in 1..whole.len() {
        assert_ne!(checked("a.sqlite", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
    }
}
