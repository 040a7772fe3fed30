//! Files built block by block.

use crate::{
    check::tests::{checked, rules_of, told},
    report::Verdict,
};

const NONE: u64 = u64::MAX;

/// A file of superblock version 2. Blocks are appended, the root group comes last.
struct File(Vec<u8>);

impl File {
    fn new() -> Self {
        File(vec![0; 48])
    }

    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Appends a block and gives its address.
    fn push(&mut self, block: impl Into<Vec<u8>>) -> u64 {
        let address = self.0.len() as u64;
        self.0.extend(block.into());
        address
    }

    /// Appends the root group and writes the superblock.
    fn seal(mut self, messages: &[Vec<u8>]) -> Vec<u8> {
        let root = self.push(header(messages));
        self.rooted(root, NONE)
    }

    /// Appends a superblock extension and the root group, and writes the superblock.
    fn extended(mut self, extension: &[Vec<u8>], messages: &[Vec<u8>]) -> Vec<u8> {
        let extension = self.push(header(extension));
        let root = self.push(header(messages));
        self.rooted(root, extension)
    }

    /// Writes the superblock.
    fn rooted(mut self, root: u64, extension: u64) -> Vec<u8> {
        let mut superblock = b"\x89HDF\r\n\x1a\n\x02\x08\x08\0".to_vec();
        for address in [0, extension, self.len(), root] {
            superblock.extend(address.to_le_bytes());
        }
        self.0[..44].copy_from_slice(&superblock);
        self.0
    }

    /// A file whose root has one link, to a dataset of these messages.
    fn with_dataset(mut self, messages: &[Vec<u8>]) -> Vec<u8> {
        let dataset = self.push(header(messages));
        self.seal(&[hard("x", dataset)])
    }
}

/// A version 2 object header.
fn header(messages: &[Vec<u8>]) -> Vec<u8> {
    let messages = messages.concat();
    let mut header = b"OHDR\x02\x01".to_vec();
    header.extend((messages.len() as u16).to_le_bytes());
    header.extend(messages);
    header.extend([0xcc; 4]);
    header
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u16).to_le_bytes(), &[0], body].concat()
}

fn link(name: &str, class: Option<u8>, target: &[u8]) -> Vec<u8> {
    let mut body = vec![1, if class.is_some() { 8 } else { 0 }];
    body.extend(class);
    body.push(name.len() as u8);
    body.extend(name.as_bytes());
    if class.is_some() {
        body.extend((target.len() as u16).to_le_bytes());
    }
    body.extend(target);
    body
}

fn hard(name: &str, address: u64) -> Vec<u8> {
    message(6, &link(name, None, &address.to_le_bytes()))
}

fn external(name: &str, file: &str) -> Vec<u8> {
    message(6, &link(name, Some(64), format!("\0{file}\0/data\0").as_bytes()))
}

fn space(dims: &[u64]) -> Vec<u8> {
    let mut body = vec![2, dims.len() as u8, 0, u8::from(!dims.is_empty())];
    dims.iter().for_each(|dim| body.extend(dim.to_le_bytes()));
    body
}

fn datatype(class: u8, bits: u8, size: u32, rest: &[u8]) -> Vec<u8> {
    [&[0x10 | class, bits, 0, 0][..], &size.to_le_bytes(), rest].concat()
}

fn bytes_type() -> Vec<u8> {
    datatype(0, 0, 1, &[0, 0, 8, 0])
}

fn attribute(name: &str, kind: &[u8], space: &[u8], value: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 0];
    for len in [name.len() + 1, kind.len(), space.len()] {
        body.extend((len as u16).to_le_bytes());
    }
    body.push(0);
    body.extend(name.as_bytes());
    body.push(0);
    body.extend([kind, space, value].concat());
    message(12, &body)
}

fn text_attribute(name: &str, text: &str) -> Vec<u8> {
    attribute(name, &datatype(3, 0, text.len() as u32, &[]), &space(&[]), text.as_bytes())
}

fn contiguous(address: u64, len: u64) -> Vec<u8> {
    message(8, &[&[3, 1][..], &address.to_le_bytes(), &len.to_le_bytes()].concat())
}

fn compact(values: &[u8]) -> Vec<u8> {
    message(8, &[&[3, 0][..], &(values.len() as u16).to_le_bytes(), values].concat())
}

/// Two dimensions: chunks of `chunk` bytes in a row of `len`.
fn chunked(len: u64, chunk: u8, index: &[u8], address: u64) -> Vec<Vec<u8>> {
    let layout = [&[4, 2, 0, 2, 1, chunk, 1][..], index, &address.to_le_bytes()].concat();
    vec![message(1, &space(&[len])), message(3, &bytes_type()), message(8, &layout)]
}

fn signed(signature: &[u8; 4], fields: &[&[u8]]) -> Vec<u8> {
    [&signature[..], &[0], &fields.concat(), &[0xcc; 4]].concat()
}

/// A file with an attribute, values in the header and values in one block.
fn plain() -> Vec<u8> {
    let mut file = File::new();
    let values = file.push([7; 24]);
    let outside = [message(1, &space(&[2, 12])), message(3, &bytes_type()), contiguous(values, 24)];
    let outside = file.push(header(&outside));
    let inside = [message(1, &space(&[3, 1])), message(3, &bytes_type()), compact(&[1, 2, 3])];
    let inside = file.push(header(&inside));
    file.seal(&[hard("outside", outside), hard("inside", inside), text_attribute("units", "mm")])
}

fn assert_just_data(bytes: Vec<u8>) {
    let report = checked("a.h5", bytes);
    assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
    assert_eq!(report.layers[0].formats, ["hdf5"]);
    let books = report.layers[0].coverage;
    assert_eq!(books.unexplained, 0, "{books:?}");
}

#[test]
fn groups_datasets_attributes_are_just_data() {
    assert_just_data(plain());
    let books = checked("a.h5", plain()).layers[0].coverage;
    assert_eq!((books.opaque, books.slack), (24 + 3, 2 + 2 * 4), "{books:?}");
}

#[test]
fn a_userblock_may_stand_in_front() {
    let text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".to_vec();
    let mut bytes = text;
    bytes.resize(512, b' ');
    bytes.extend(plain());
    // The end-of-file address counts the userblock, or the base address shows that it came later.
    assert_just_data(bytes);
}

#[test]
fn what_follows_the_end_of_file_address_is_news() {
    let mut bytes = plain();
    bytes.extend(b"appended");
    assert_eq!(rules_of(&checked("a.h5", bytes)), ["unexplained-bytes"]);
}

#[test]
fn deleted_objects_leave_free_space() {
    let mut file = File::new();
    file.push(*b"what was an object once");
    let bytes = file.seal(&[]);
    assert_just_data(bytes);
}

#[test]
fn references_are_told_by_their_reach() {
    let linked = |file: &str| File::new().seal(&[external("other", file)]);
    assert_eq!(rules_of(&checked("a.h5", linked("/etc/hostname"))), ["reference-by-whole-path"]);
    assert_eq!(rules_of(&checked("a.h5", linked("..\\a.h5"))), ["reference-leaves-folder"]);
    assert_eq!(rules_of(&checked("a.h5", linked("\\\\host\\share\\a.h5"))), ["reference-to-server"]);
    let beside = checked("a.h5", linked("b.h5"));
    assert_eq!((beside.verdict, beside.findings[0].rule.as_str()), (Verdict::JustData, "hdf5-reference"));
    let itself = checked("a.h5", linked("."));
    assert_eq!((itself.verdict, itself.findings.len()), (Verdict::JustData, 0));
}

fn stored_outside(name: &str) -> Vec<u8> {
    let mut file = File::new();
    let mut segment = vec![0; 8];
    segment.extend(name.as_bytes());
    segment.push(0);
    let len = segment.len() as u64;
    let segment = file.push(segment);
    let heap = [&b"HEAP\0\0\0\0"[..], &len.to_le_bytes(), &NONE.to_le_bytes(), &segment.to_le_bytes()].concat();
    let heap = file.push(heap);
    let mut slots = vec![1, 0, 0, 0, 1, 0, 1, 0];
    for field in [heap, 8, 0, 10] {
        slots.extend(field.to_le_bytes());
    }
    file.with_dataset(&[message(1, &space(&[10])), message(3, &bytes_type()), contiguous(NONE, 0), message(7, &slots)])
}

#[test]
fn external_storage_is_told_by_its_reach() {
    assert_eq!(rules_of(&checked("a.h5", stored_outside("/etc/hostname"))), ["reference-by-whole-path"]);
    assert_eq!(checked("a.h5", stored_outside("values.raw")).verdict, Verdict::JustData);
}

/// A global heap collection with these objects.
fn collection(objects: &[&[u8]]) -> Vec<u8> {
    let mut block = b"GCOL\x01\0\0\0".to_vec();
    block.extend(4096u64.to_le_bytes());
    for (index, object) in objects.iter().enumerate() {
        block.extend((index as u16 + 1).to_le_bytes());
        block.extend([1, 0, 0, 0, 0, 0]);
        block.extend((object.len() as u64).to_le_bytes());
        block.extend(*object);
        block.resize(block.len().next_multiple_of(8), 0);
    }
    block.extend([0; 8]);
    block.extend((4096 - block.len() as u64 + 8).to_le_bytes());
    block.resize(4096, 0);
    block
}

fn virtual_dataset(version: u8, source: &str) -> Vec<u8> {
    let all = [3u32, 1, 0, 0].map(u32::to_le_bytes).concat();
    let regular = [&2u32.to_le_bytes()[..], &3u32.to_le_bytes(), &[1, 2], &1u32.to_le_bytes(), &[0; 8]].concat();
    let mut parts = vec![version];
    parts.extend(2u64.to_le_bytes());
    let flags: &[u8] = if version == 0 { &[] } else { &[0] };
    parts.extend([flags, b"near.h5\0/data\0", &all, &regular].concat());
    let flags: &[u8] = if version == 0 { &[] } else { &[2] };
    let name: &[u8] = if version == 0 { b"/data\0" } else { &[0; 8] };
    parts.extend([flags, source.as_bytes(), b"\0", name, &regular, &all, &[0xcc; 4]].concat());
    let mut file = File::new();
    let heap = file.push(collection(&[&parts]));
    let layout = [&[4, 3][..], &heap.to_le_bytes(), &1u32.to_le_bytes()].concat();
    file.with_dataset(&[message(1, &space(&[10])), message(3, &bytes_type()), message(8, &layout)])
}

#[test]
fn virtual_datasets_are_told_by_their_reach() {
    for version in [0, 1] {
        assert_eq!(rules_of(&checked("a.h5", virtual_dataset(version, "../b.h5"))), ["reference-leaves-folder"]);
        let near = checked("a.h5", virtual_dataset(version, "b.h5"));
        assert_eq!((near.verdict, near.findings.len()), (Verdict::JustData, 2), "{near:#?}");
    }
}

#[test]
fn filters_are_told_by_who_knows_them() {
    let filtered = |id: u16| {
        let pipeline = [&[2, 1][..], &id.to_le_bytes(), if id < 256 { &[] } else { &[0, 0] }, &[0, 0, 0, 0]].concat();
        File::new().with_dataset(&[
            message(1, &space(&[10])),
            message(3, &bytes_type()),
            message(11, &pipeline),
            message(8, &[&[4, 2, 0, 2, 1, 5, 1, 2][..], &NONE.to_le_bytes()].concat()),
        ])
    };
    assert_eq!(rules_of(&checked("a.h5", filtered(40_000))), ["hdf5-filter-unknown"]);
    assert_eq!(rules_of(&checked("a.h5", filtered(300))), ["hdf5-filter-unknown"]);
    for (id, notes) in [(1, 0), (6, 0), (307, 1), (32_001, 1)] {
        let report = checked("a.h5", filtered(id));
        assert_eq!((report.verdict, report.findings.len()), (Verdict::JustData, notes), "filter {id}: {report:#?}");
    }
}

#[test]
fn a_model_in_an_attribute_is_read() {
    let fixed = |model: &str| File::new().seal(&[text_attribute("model_config", model)]);
    let variable = |model: &str| {
        let mut file = File::new();
        let heap = file.push(collection(&[b"first", model.as_bytes()]));
        let kind = datatype(9, 1, 16, &datatype(3, 0, 1, &[]));
        let value = [&(model.len() as u32).to_le_bytes()[..], &heap.to_le_bytes(), &2u32.to_le_bytes()].concat();
        file.seal(&[attribute("model_config", &kind, &space(&[]), &value)])
    };
    for bytes in [fixed(LAMBDA), variable(LAMBDA)] {
        let report = checked("a.h5", bytes);
        assert_eq!(rules_of(&report), ["keras-lambda-code"], "{report:#?}");
        assert_eq!(report.layers[1].name, "attribute model_config of /");
    }
    assert_eq!(checked("a.h5", fixed(DENSE)).verdict, Verdict::JustData);
    assert_eq!(checked("a.h5", variable(DENSE)).verdict, Verdict::JustData);
}

#[test]
fn values_that_programs_parse_become_layers() {
    let bytes =
        File::new().seal(&[text_attribute("TITLE", "cos\nsystem\n(S'id'\ntR."), text_attribute("note", "Plain")]);
    let report = checked("a.h5", bytes);
    assert_eq!(report.layers.len(), 2, "what PyTables unpickles is a layer: {report:#?}");
    let opaque = [message(1, &space(&[])), message(3, &datatype(5, 8, 24, b"tag\0\0\0\0\0")), compact(&[9; 24])];
    let report = checked("a.h5", File::new().with_dataset(&opaque));
    assert_eq!((report.verdict, report.layers[1].name.as_str()), (Verdict::JustData, "dataset /x"));
}

#[test]
fn bytes_in_one_compressed_chunk_become_a_layer() {
    let with = |values: &[u8]| {
        let mut file = File::new();
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(values, 6);
        let len = packed.len() as u64;
        let chunk = file.push([&packed[..], &[0xcc; 4]].concat());
        let index = [&[1][..], &(len + 4).to_le_bytes(), &[0; 4]].concat();
        let layout = [&[4, 2, 2, 2, 1, values.len() as u8, 1][..], &index, &chunk.to_le_bytes()].concat();
        let pipeline = message(11, &[2, 2, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0]);
        let space = message(1, &space(&[values.len() as u64]));
        file.with_dataset(&[space, message(3, &bytes_type()), pipeline, message(8, &layout)])
    };
    let evil = checked("a.h5", with(b"cos\nsystem\n(S'echo some words'\ntR."));
    assert_eq!(rules_of(&evil), ["pickle-runs-code"], "{evil:#?}");
    let plain = checked("a.h5", with(&(0..100).collect::<Vec<u8>>()));
    assert_eq!((plain.verdict, plain.layers[1].len), (Verdict::JustData, 100), "{plain:#?}");
}

/// Appends an index of chunks at these addresses and gives the messages of the dataset.
type Build<'a> = &'a dyn Fn(&mut File, &[u64]) -> Vec<Vec<u8>>;

/// Every kind of chunk index over 20 bytes in chunks of 5; `filtered` chunks say how long they are.
fn chunk_indexes() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    let mut index = |build: Build<'_>| {
        let mut file = File::new();
        let chunks: Vec<u64> = (0..4u8).map(|value| file.push([value + 1; 5])).collect();
        let messages = build(&mut file, &chunks);
        files.push(file.with_dataset(&messages));
    };
    let addresses = |chunks: &[u64]| chunks.iter().flat_map(|chunk| chunk.to_le_bytes()).collect::<Vec<_>>();
    let int = |value: u64| value.to_le_bytes();
    // B-tree version 1
    index(&|file, chunks| {
        let mut node = b"TREE\x01\0\x04\0".to_vec();
        node.extend([0xff; 16]);
        for (number, chunk) in chunks.iter().enumerate() {
            node.extend([5, 0, 0, 0, 0, 0, 0, 0]);
            node.extend([int(number as u64 * 5), int(0), int(*chunk)].concat());
        }
        node.resize(24 + 64 * 32 + 24, 0);
        let tree = file.push(node);
        let layout = [&[3, 2, 2][..], &int(tree), &5u32.to_le_bytes(), &1u32.to_le_bytes()].concat();
        vec![message(1, &space(&[20])), message(3, &bytes_type()), message(8, &layout)]
    });
    // Single, implicit
    index(&|_, chunks| chunked(20, 20, &[1], chunks[0]));
    index(&|_, chunks| chunked(20, 5, &[2], chunks[0]));
    // Fixed array, with and without pages
    for page_bits in [10, 1] {
        index(&|file, chunks| {
            let at = file.len();
            file.push(signed(b"FAHD", &[&[0, 8, page_bits], &int(4), &int(at + 28)]));
            if page_bits == 10 {
                file.push(signed(b"FADB", &[&[0], &int(at), &addresses(chunks)]));
            } else {
                file.push(signed(b"FADB", &[&[0], &int(at), &[0xc0]]));
                for page in chunks.chunks(2) {
                    file.push([addresses(page), vec![0xcc; 4]].concat());
                }
            }
            chunked(20, 5, &[3, page_bits], at)
        });
    }
    // Extensible array: one element in the index block, then data blocks of 1 and 2, then a super block
    index(&|file, chunks| {
        let at = file.len();
        file.push(signed(b"EAHD", &[&[0, 8, 32, 1, 1, 2, 10], &[0; 48], &int(at + 72)]));
        let second = at + 72 + 290;
        let mut supers = [0xff; 31 * 8];
        let data_len = 30;
        supers[..8].copy_from_slice(&int(second + data_len));
        file.push(signed(b"EAIB", &[&[0], &int(at), &addresses(&chunks[..1]), &int(second), &int(NONE), &supers]));
        assert_eq!(file.len(), second);
        file.push(signed(b"EADB", &[&[0], &int(at), &[0; 4], &addresses(&chunks[1..2])]));
        assert_eq!(file.len(), second + data_len);
        let third = second + data_len + 38;
        file.push(signed(b"EASB", &[&[0], &int(at), &[0; 4], &int(third), &int(NONE)]));
        file.push(signed(b"EADB", &[&[0], &int(at), &[0; 4], &addresses(&chunks[2..])]));
        chunked(20, 5, &[4, 32, 1, 1, 2, 10], at)
    });
    // B-tree version 2, with a root above two leaves
    index(&|file, chunks| {
        let record = |number: usize| [int(chunks[number]), int(number as u64)].concat();
        let leaf = |numbers: &[usize]| {
            let records: Vec<u8> = numbers.iter().flat_map(|number| record(*number)).collect();
            let mut leaf = signed(b"BTLF", &[&[10], &records]);
            leaf.resize(64, 0);
            leaf
        };
        let left = file.push(leaf(&[0]));
        let right = file.push(leaf(&[2, 3]));
        let mut root = signed(b"BTIN", &[&[10], &record(1), &int(left), &[1], &int(right), &[2]]);
        root.resize(64, 0);
        let root = file.push(root);
        let settings = [&[10][..], &64u32.to_le_bytes(), &[16, 0, 1, 0, 100, 40]].concat();
        let tree = file.push(signed(b"BTHD", &[&settings, &int(root), &[1, 0], &int(4)]));
        chunked(20, 5, &[5, 64, 0, 0, 0, 100, 40], tree)
    });
    files
}

#[test]
fn chunks_are_found_by_every_index() {
    for (number, bytes) in chunk_indexes().into_iter().enumerate() {
        let report = checked("a.h5", bytes);
        assert_eq!(report.verdict, Verdict::JustData, "index {number}: {report:#?}");
        // One chunk of all bytes is a layer of its own.
        let books = report.layers[0].coverage;
        assert_eq!(books.opaque + books.nested, 20, "index {number}: {books:?}");
    }
}

/// A fractal heap of one block.
struct Heap {
    /// Length of an ID.
    id: u8,
    deflated: bool,
    /// The B-tree of huge objects.
    huge: u64,
}

impl Heap {
    /// Appends the heap and gives its address, and the ID of each object.
    fn push(self, file: &mut File, objects: &[&[u8]]) -> (u64, Vec<Vec<u8>>) {
        let int = |value: u64| value.to_le_bytes();
        let address = file.len();
        let filters: &[u8] = if self.deflated { &[2, 1, 1, 0, 0, 0, 1, 0, 6, 0, 0, 0] } else { &[] };
        let block = address + 146 + if self.deflated { 12 + filters.len() as u64 } else { 0 };
        let mut direct = [&b"FHDB\0"[..], &int(address), &[0; 4], &[0xcc; 4]].concat();
        let mut ids = Vec::new();
        for object in objects {
            let offset = (direct.len() as u32).to_le_bytes();
            let mut id = [&[0][..], &offset, &(object.len() as u16).to_le_bytes()].concat();
            id.resize(self.id.into(), 0);
            ids.push(id);
            direct.extend(*object);
        }
        direct.resize(512, 0);
        if self.deflated {
            direct = miniz_oxide::deflate::compress_to_vec_zlib(&direct, 6);
        }
        let mut fields = vec![self.id, 0, filters.len() as u8, 0, 2];
        fields.extend(4096u32.to_le_bytes());
        for field in [0, self.huge, 0, NONE, 512, 512, 0, 1, 0, 0, 0, 0] {
            fields.extend(int(field));
        }
        fields.extend([4, 0]);
        fields.extend([int(512), int(65536)].concat());
        fields.extend([32, 0, 1, 0]);
        fields.extend(int(block));
        fields.extend([0, 0]);
        if self.deflated {
            fields.extend([&int(direct.len() as u64)[..], &[0; 4], filters].concat());
        }
        file.push(signed(b"FRHP", &[&fields]));
        assert_eq!(file.len(), block);
        file.push(direct);
        (address, ids)
    }
}

/// Appends a version 2 B-tree of one leaf.
fn tree(file: &mut File, kind: u8, records: &[Vec<u8>]) -> u64 {
    let mut leaf = signed(b"BTLF", &[&[kind], &records.concat()]);
    leaf.resize(512, 0);
    let leaf = file.push(leaf);
    let settings = [&[kind][..], &512u32.to_le_bytes(), &[records[0].len() as u8, 0, 0, 0, 100, 40]].concat();
    let count = records.len() as u8;
    file.push(signed(b"BTHD", &[&settings, &leaf.to_le_bytes(), &[count, 0], &u64::from(count).to_le_bytes()]))
}

/// The record of a link or an attribute, by name.
fn record(links: bool, id: &[u8]) -> Vec<u8> {
    if links { [&[0xcc; 4][..], id].concat() } else { [id, &[0], &[0; 4], &[0xcc; 4]].concat() }
}

/// A link or an attribute in a fractal heap, found by a version 2 B-tree.
fn dense(links: bool, deflated: bool, object: &[u8]) -> Vec<u8> {
    let mut file = File::new();
    let (heap, ids) = Heap { id: 7 + u8::from(!links), deflated, huge: NONE }.push(&mut file, &[object]);
    let tree = tree(&mut file, if links { 5 } else { 8 }, &[record(links, &ids[0])]);
    let info = [&[0, 0][..], &heap.to_le_bytes(), &tree.to_le_bytes()].concat();
    file.seal(&[message(if links { 2 } else { 21 }, &info)])
}

/// An attribute that is too large for the blocks of its heap, deflated or not.
fn huge(deflated: bool, object: &[u8]) -> Vec<u8> {
    let mut file = File::new();
    let stored = if deflated { miniz_oxide::deflate::compress_to_vec_zlib(object, 6) } else { object.to_vec() };
    let (len, address) = (stored.len() as u64, file.push(stored));
    let filtered = [&[0; 4][..], &(object.len() as u64).to_le_bytes()].concat();
    let filtered: &[u8] = if deflated { &filtered } else { &[] };
    let record_of = [&address.to_le_bytes(), &len.to_le_bytes(), filtered, &1u64.to_le_bytes()].concat();
    let objects = tree(&mut file, if deflated { 2 } else { 1 }, &[record_of]);
    let (heap, _) = Heap { id: 8, deflated, huge: objects }.push(&mut file, &[]);
    let names = tree(&mut file, 8, &[record(false, &[0x10, 1, 0, 0, 0, 0, 0, 0])]);
    let info = [&[0, 0][..], &heap.to_le_bytes(), &names.to_le_bytes()].concat();
    file.seal(&[message(21, &info)])
}

const LAMBDA: &str = r#"{"class_name": "Lambda", "config": {"function": ["4wAA", null, null]}}"#;
const DENSE: &str = r#"{"class_name": "Dense", "config": {"units": 3}}"#;

fn model(text: &str) -> Vec<u8> {
    text_attribute("model_config", text)[4..].to_vec()
}

#[test]
fn large_groups_are_read() {
    for deflated in [false, true] {
        let evil = dense(true, deflated, &link("other", Some(64), b"\0/etc/hostname\0/\0"));
        assert_eq!(rules_of(&checked("a.h5", evil)), ["reference-by-whole-path"]);
        assert_just_data(dense(true, deflated, &link("other", Some(1), b"/elsewhere")));
        assert_eq!(rules_of(&checked("a.h5", dense(false, deflated, &model(LAMBDA)))), ["keras-lambda-code"]);
        assert_just_data(dense(false, deflated, &model("plain text")));
    }
}

#[test]
fn huge_attributes_are_read() {
    for deflated in [false, true] {
        let report = checked("a.h5", huge(deflated, &model(LAMBDA)));
        assert_eq!(rules_of(&report), ["keras-lambda-code"], "{report:#?}");
        assert_just_data(huge(deflated, &model(DENSE)));
    }
}

#[test]
fn a_program_in_a_filtered_heap_is_found() {
    let object = [link("soft", Some(1), b"/x"), vec![0; 8], b"\x7fELF".to_vec()].concat();
    assert_just_data(dense(true, true, &object));
    let elf = crate::formats::elf::sample::program();
    let report = checked("a.h5", dense(true, true, &[link("soft", Some(1), b"/x"), elf].concat()));
    assert_eq!(rules_of(&report), ["program-in-opaque"], "{report:#?}");
}

#[test]
fn filters_of_heaps_are_told() {
    let mut bytes = dense(true, true, &link("soft", Some(1), b"/x"));
    let filters = bytes.windows(4).position(|window| window == [2, 1, 1, 0]).unwrap();
    bytes[filters + 2..filters + 4].copy_from_slice(&[4, 0]);
    let report = checked("a.h5", bytes);
    assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "unsupported"));
}

/// A file whose messages are shared: an attribute, its datatype and dataspace, those of a dataset.
fn shared(in_tree: bool, text: &str) -> Vec<u8> {
    let mut file = File::new();
    let (kind, scalar) = (datatype(3, 0, text.len() as u32, &[]), space(&[]));
    // Which heap an ID is of follows from the kind of the message.
    let (first, types) = Heap { id: 8, deflated: false, huge: NONE }.push(&mut file, &[&kind, &scalar, &bytes_type()]);
    let shared = |id: &[u8]| [&[3, 1][..], id].concat();
    let mut whole = attribute("model_config", &shared(&types[0]), &shared(&types[1]), text.as_bytes())[4..].to_vec();
    whole[1] = 3;
    let (second, attributes) = Heap { id: 8, deflated: false, huge: NONE }.push(&mut file, &[&whole]);
    let record = |id: &[u8]| [&[0, 0xcc, 0xcc, 0xcc, 0xcc, 1, 0, 0, 0][..], id].concat();
    let mut index = |ids: &[Vec<u8>]| {
        let records: Vec<_> = ids.iter().map(|id| record(id)).collect();
        if in_tree {
            return tree(&mut file, 7, &records);
        }
        let mut list = [b"SMLI".to_vec(), records.concat(), vec![0xcc; 4]].concat();
        list.resize(8 + 5 * 17, 0);
        file.push(list)
    };
    let rows = [(0x0a, types.len(), index(&types), first), (0x1000, 1, index(&attributes), second)];
    let mut table = b"SMTB".to_vec();
    for (kinds, count, index, heap) in rows {
        table.extend([0, u8::from(in_tree)]);
        table.extend([&u16::to_le_bytes(kinds)[..], &[8, 0, 0, 0, 5, 0, 3, 0], &(count as u16).to_le_bytes()].concat());
        table.extend([index.to_le_bytes(), heap.to_le_bytes()].concat());
    }
    let table = file.push([table, vec![0xcc; 4]].concat());
    let by_id = |kind: u8, id: &[u8]| {
        let mut message = message(kind, &shared(id));
        message[3] = 2;
        message
    };
    let values = file.push([7; 1]);
    let dataset = file.push(header(&[by_id(1, &types[1]), by_id(3, &types[2]), contiguous(values, 1)]));
    let extension = message(0x0f, &[&[0][..], &table.to_le_bytes(), &[2]].concat());
    file.extended(&[extension], &[by_id(12, &attributes[0]), hard("x", dataset)])
}

#[test]
fn shared_messages_are_read() {
    for in_tree in [false, true] {
        let report = checked("a.h5", shared(in_tree, LAMBDA));
        assert_eq!(rules_of(&report), ["keras-lambda-code"], "{report:#?}");
        assert_just_data(shared(in_tree, DENSE));
        assert_eq!(checked("a.h5", shared(in_tree, DENSE)).layers[0].coverage.opaque, 1);
    }
}

#[test]
fn shared_messages_of_no_heap_are_damage() {
    let mut bytes = shared(false, DENSE);
    let table = bytes.windows(4).position(|window| window == b"SMTB").unwrap();
    bytes[table + 6] = 2;
    let report = checked("a.h5", bytes);
    assert_eq!((report.verdict, report.layers[0].stops[0].kind.as_str()), (Verdict::Unfinished, "malformed"));
}

/// A file whose root group stands in the metadata cache image; at its address is what was there before.
fn imaged(text: &str) -> Vec<u8> {
    let mut file = File::new();
    let root = file.push([0; 100]);
    let block = header(&[text_attribute("model_config", text)]);
    let mut image = b"MDCI\0\0".to_vec();
    let len = block.len() as u64;
    image.extend([&(14 + 4 + 46 + len + 4).to_le_bytes()[..], &1u32.to_le_bytes()].concat());
    image.extend([&[0; 8][..], &1u16.to_le_bytes(), &[0; 4], &root.to_le_bytes(), &len.to_le_bytes()].concat());
    image.extend([&48u64.to_le_bytes()[..], &block, &[0xcc; 4]].concat());
    let len = image.len() as u64;
    let image = file.push(image);
    let extension = message(0x18, &[&[0][..], &image.to_le_bytes(), &len.to_le_bytes()].concat());
    let extension = file.push(header(&[extension]));
    file.rooted(root, extension)
}

#[test]
fn blocks_in_the_cache_image_are_read() {
    let report = checked("a.h5", imaged(LAMBDA));
    assert_eq!(rules_of(&report), ["keras-lambda-code"], "{report:#?}");
    assert_just_data(imaged(DENSE));
}

#[test]
fn lengths_may_be_narrower_than_addresses() {
    let mut file = File::new();
    let objects: [&[u8]; 2] = [b"first", LAMBDA.as_bytes()];
    let mut block = b"GCOL\x01\0\0\0\0\x10\0\0\0\0\0\0".to_vec();
    for (index, object) in objects.iter().enumerate() {
        block.extend([index as u8 + 1, 0, 1, 0, 0, 0, 0, 0, object.len() as u8, 0, 0, 0, 0, 0, 0, 0]);
        block.extend(*object);
        block.resize(block.len().next_multiple_of(8), 0);
    }
    block.resize(4096, 0);
    let heap = file.push(block);
    let kind = datatype(9, 1, 16, &datatype(3, 0, 1, &[]));
    let value = [&(LAMBDA.len() as u32).to_le_bytes()[..], &heap.to_le_bytes(), &2u32.to_le_bytes()].concat();
    let mut bytes = file.seal(&[attribute("model_config", &kind, &space(&[]), &value)]);
    bytes[10] = 4;
    assert_eq!(rules_of(&checked("a.h5", bytes)), ["keras-lambda-code"]);
    for width in [4, 8] {
        assert_just_data(old("values", width));
    }
}

/// Superblock version 0, a version 1 object header, a symbol table with one dataset whose name is `name`; lengths of
/// `width` bytes.
fn old(name: &str, width: u8) -> Vec<u8> {
    let int = |value: u64| value.to_le_bytes();
    let length = |value: u64| value.to_le_bytes()[..width.into()].to_vec();
    let entry = |name: u64, header: u64| [&length(name)[..], &int(header), &[0; 24]].concat();
    let mut bytes = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08".to_vec();
    bytes.extend([width, 0, 4, 0, 16, 0, 0, 0, 0, 0]);
    bytes.extend([int(0), int(NONE), int(0), int(NONE)].concat());
    let root = bytes.len() as u64 + 32 + u64::from(width);
    bytes.extend(entry(0, root));
    let old_header = |messages: &[Vec<u8>]| {
        let messages = messages.concat();
        [&[1, 0, 1, 0, 1, 0, 0, 0][..], &(messages.len() as u32).to_le_bytes(), &[0; 4], &messages].concat()
    };
    let old_message = |kind: u8, body: &[u8]| {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(8), 0);
        [&[kind, 0, body.len() as u8, 0, 0, 0, 0, 0][..], &body].concat()
    };
    let wide = u64::from(width);
    let heap = root + 40;
    let segment = heap + 8 + 2 * wide + 8;
    let tree = segment + 32;
    let symbols = tree + 24 + 32 * (wide + 8) + wide;
    let dataset = symbols + 8 + 8 * (wide + 32);
    bytes.extend(old_header(&[old_message(0x11, &[int(tree), int(heap)].concat())]));
    bytes.extend([&b"HEAP\0\0\0\0"[..], &length(32), &length(NONE), &int(segment)].concat());
    let mut names = vec![0; 8];
    names.extend(name.as_bytes());
    names.resize(32, 0);
    bytes.extend(names);
    bytes.extend([&b"TREE\0\0\x01\0"[..], &[0xff; 16], &length(0), &int(symbols), &length(8)].concat());
    bytes.resize(symbols as usize, 0);
    bytes.extend([&b"SNOD\x01\0\x01\0"[..], &entry(8, dataset)].concat());
    bytes.resize(dataset as usize, 0);
    let mut old_space = vec![1, 1, 0, 0, 0, 0, 0, 0];
    old_space.extend(length(5));
    let values = dataset + 16 + 8 + 16 + 8 + 16 + 8 + if width == 8 { 24 } else { 16 };
    let layout = [&[3, 1][..], &int(values), &length(5)].concat();
    bytes.extend(old_header(&[old_message(1, &old_space), old_message(3, &bytes_type()), old_message(8, &layout)]));
    assert_eq!(bytes.len() as u64, values);
    bytes.extend([5; 5]);
    let end = bytes.len() as u64;
    bytes[40..48].copy_from_slice(&int(end));
    bytes
}

#[test]
fn symbol_tables_are_read() {
    assert_just_data(old("values", 8));
    let books = checked("a.h5", old("values", 8)).layers[0].coverage;
    assert_eq!((books.opaque, books.unexplained), (5, 0), "{books:?}");
}

#[test]
fn damage_is_unfinished() {
    let unfinished = |bytes: Vec<u8>| assert_eq!(checked("a.h5", bytes).verdict, Verdict::Unfinished);
    let with = |mut bytes: Vec<u8>, at: usize, value: &[u8]| {
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    };
    let whole = old("values", 8);
    // Root, tree and symbols elsewhere; more symbols than fit; a dataset that is longer than the file.
    unfinished(with(whole.clone(), 64, &[9]));
    unfinished(with(whole.clone(), 200, b"X"));
    let symbols = whole.windows(4).position(|window| window == b"SNOD").unwrap();
    unfinished(with(whole.clone(), symbols + 6, &[0xff]));
    let len = whole.len();
    unfinished(with(whole, len - 5 - 16 + 2, &[0x77]));
    unfinished(virtual_dataset(7, "b.h5"));
}

#[test]
fn no_cut_is_just_data() {
    for whole in [plain(), old("values", 8), dense(true, false, &link("soft", Some(1), b"/x")), imaged(DENSE)]
        .into_iter()
        .chain(chunk_indexes())
    {
        for len in 9..whole.len() {
            assert_ne!(checked("a.h5", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}

#[test]
fn a_file_in_opaque_bytes_is_found() {
    let inner = File::new().seal(&[text_attribute("model_config", LAMBDA)]);
    let mut file = File::new();
    let len = inner.len() as u64 + 8;
    let values = file.push([&[1; 8][..], &inner].concat());
    let bytes = file.with_dataset(&[message(1, &space(&[len, 1])), message(3, &bytes_type()), contiguous(values, len)]);
    assert!(rules_of(&checked("a.h5", bytes)).contains(&"keras-lambda-code"));
}

#[test]
fn h5_01_external_links() {
    let linked = |file: &str| File::new().seal(&[external("other", file)]);
    told("a.h5", linked("/etc/hostname"), "reference-by-whole-path", linked("."));
    told("b.h5", linked("../../../b.h5"), "reference-leaves-folder", linked("b.h5"));
}

#[test]
fn h5_02_external_storage() {
    told("a.h5", stored_outside("/etc/hostname"), "reference-by-whole-path", stored_outside("values.raw"));
}

#[test]
fn h5_04_a_userblock() {
    let behind = |text: &[u8]| {
        let mut bytes = text.to_vec();
        bytes.resize(512, 0);
        [bytes, plain()].concat()
    };
    told("a.h5", behind(b"#!/bin/sh\nexit 0\n"), "script-hidden", behind(b"MATLAB 7.3 MAT-file, Platform: GLNXA64"));
}

#[test]
fn h5_05_behind_the_end_of_file_address() {
    told("a.h5", [plain(), b"hidden".to_vec()].concat(), "unexplained-bytes", [plain(), vec![0; 64]].concat());
}

#[test]
fn h5_03_sources_of_a_virtual_dataset() {
    told("a.h5", virtual_dataset(1, "../b.h5"), "reference-leaves-folder", virtual_dataset(1, "b.h5"));
}

#[test]
fn h5_06_values_that_are_a_pickle() {
    let stored = |value: &[u8]| {
        let kind = datatype(5, 0, value.len() as u32, b"pickle\0\0");
        File::new().seal(&[attribute("_v_attributes", &kind, &space(&[]), value)])
    };
    told("a.h5", stored(b"cos\nsystem\n(S'echo some words'\ntR."), "pickle-runs-code", stored(&[7; 36]));
}
