//! How fast a check is, as ratios within one run: `cargo bench`.
//!
//! The yardstick is copying the same bytes through the same pages. Figures of one machine on one day; nothing
//! asserts them.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use just_data::{
    budget::{Limits, Quiet},
    check::check,
    source::{Paged, Source},
};
use miniz_oxide::deflate::compress_to_vec;

/// Bytes of a large sample.
const LEN: usize = 256 << 20;

fn main() {
    let noise = Rc::new(noise(LEN));
    let copied = best(|| copy(noise.clone()));
    println!("{:<44} {:>9}  {:>9}", "", "MiB/s", "of a copy");
    row("copying through pages (the yardstick)", LEN, copied, copied);

    let mut image = image(LEN as i64);
    let small = Rc::new([&image[..], &[0; 3552]].concat());
    image.extend_from_slice(&noise[image.len()..]);
    let image = Rc::new(image);
    row("a NIfTI image of noise", LEN, best(|| checked("a.nii", image.clone())), copied);
    let zeros = Rc::new([&image[..544], &vec![0; LEN - 544]].concat());
    row("a NIfTI image of zeros", LEN, best(|| checked("a.nii", zeros.clone())), copied);

    let mut packed = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    packed.extend(compress_to_vec(&noise[..LEN / 16].repeat(4), 1));
    packed.extend([0; 4]);
    packed.extend((LEN as u32 / 4).to_le_bytes());
    let packed = Rc::new(packed);
    row("gzip of noise that repeats (content)", LEN / 4, best(|| checked("a.gz", packed.clone())), copied);

    let text = Rc::new("a line of text, as good as any other\n".repeat(LEN / 8 / 37).into_bytes());
    row("plain text", text.len(), best(|| checked("a.txt", text.clone())), copied);

    let many = 2000;
    let each = best(|| (0..many).for_each(|_| checked("a.nii", small.clone()))) / many;
    println!("{:<44} {:>9.1} µs", "a file of 4 KiB", each.as_secs_f64() * 1e6);
}

fn row(what: &str, len: usize, took: Duration, copied: Duration) {
    let rate = len as f64 / took.as_secs_f64();
    let yardstick = LEN as f64 / copied.as_secs_f64();
    println!("{what:<44} {:>9.0}  {:>9.3}", rate / f64::from(1 << 20), rate / yardstick);
}

/// The best of three: what disturbs only makes slower.
fn best(mut run: impl FnMut()) -> Duration {
    let mut time = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..3).map(|_| time()).min().unwrap()
}

fn source(bytes: Rc<Vec<u8>>) -> Rc<dyn Source> {
    Rc::new(Paged::new(bytes, 256 << 10, 16))
}

fn checked(name: &str, bytes: Rc<Vec<u8>>) {
    std::hint::black_box(check(name, source(bytes), Limits::default(), Rc::new(Quiet)));
}

fn copy(bytes: Rc<Vec<u8>>) {
    let len = bytes.len() as u64;
    let source = source(bytes);
    let mut window = vec![0; 1 << 20];
    let mut at = 0;
    while at < len {
        at += source.read_at(at, &mut window).unwrap() as u64;
        std::hint::black_box(&window);
    }
}

fn noise(len: usize) -> Vec<u8> {
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes.extend(seed.to_le_bytes());
    }
    bytes
}

/// The header of a NIfTI-2 image of bytes that fills `len`.
fn image(len: i64) -> Vec<u8> {
    let mut bytes = vec![0; 544];
    bytes[..4].copy_from_slice(&540i32.to_le_bytes());
    bytes[4..12].copy_from_slice(b"n+2\0\r\n\x1a\n");
    bytes[12..16].copy_from_slice(&[2, 0, 8, 0]);
    bytes[16..24].copy_from_slice(&1i64.to_le_bytes());
    bytes[24..32].copy_from_slice(&(len - 544).to_le_bytes());
    bytes[168..176].copy_from_slice(&544i64.to_le_bytes());
    bytes
}
