//! A closer look at one layer of a report: its bytes, the regions of a part of it, how varied its bytes are.
//!
//! A report holds no bytes of decoded layers, and of a layer with many regions only a summary. Both are had by going
//! the way from the file to the layer again: at each step the layer around is read once more, by the same readers, and
//! the opening that the report names is taken. Nothing is swept, and no sibling is read.

use std::{ops::Range, rc::Rc};

use serde::Deserialize;

use super::{Check, PADDING};
use crate::{budget::Budget, bytes::Bytes, format::Origin, ledger::Kind, report::Row, source::Source, stop::Stop};

/// One step of the way from the file to a layer: which layer inside comes next, by what its report says.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Where it starts in the layer around it, if it has a place there.
    pub offset: Option<u64>,
    /// Length in bytes.
    pub len: u64,
    /// Whether its bytes lie there as they are.
    #[serde(default)]
    pub in_place: bool,
    /// How many layers before it, in the same layer, say the same of themselves.
    #[serde(default)]
    pub nth: usize,
}

/// A layer that can be read again.
pub struct Reopened {
    name: String,
    source: Rc<dyn Source>,
    budget: Rc<Budget>,
    is_file: bool,
}

/// Goes from the file `name` to the layer at the end of `way`; an empty way ends at the file itself.
///
/// # Errors
/// [`Stop::Malformed`] when there is no such layer (any more), and whatever ends a check.
pub fn reopen(name: &str, file: Rc<dyn Source>, way: &[Step], budget: Rc<Budget>) -> Result<Reopened, Stop> {
    let mut layer = Reopened { name: name.to_string(), source: file, budget, is_file: true };
    for step in way {
        let source = if step.in_place {
            let start = step.offset.unwrap_or(0);
            layer.bytes().window(start..start.saturating_add(step.len)).rebased()
        } else {
            layer.opening(step)?
        };
        layer = Reopened { name: step.name.clone(), source, is_file: false, ..layer };
    }
    Ok(layer)
}

impl Reopened {
    /// Its bytes.
    pub fn bytes(&self) -> Bytes {
        Bytes::whole(self.source.clone(), self.budget.clone())
    }

    /// The regions of `window`, at most `most` of them: what is too small to be shown is joined to what stands before
    /// it, and the largest of a group names it. What a sweep settles is not known here: buried files are nobody's, or
    /// raw values.
    ///
    /// # Errors
    /// As [`reopen`].
    pub fn regions(&self, window: Range<u64>, most: usize) -> Result<Vec<Row>, Stop> {
        let check = self.read()?;
        let Some(layer) = check.layers.first() else { return Ok(Vec::new()) };
        let mut regions = layer.ledger.settle();
        regions.retain_mut(|region| {
            region.range = region.range.start.max(window.start)..region.range.end.min(window.end);
            !region.range.is_empty()
        });
        let bytes = self.bytes();
        for region in regions.iter_mut().filter(|region| region.kind == Kind::Unexplained).take(most) {
            let len = region.range.end.saturating_sub(region.range.start);
            if len <= PADDING && bytes.window(region.range.clone()).is_all(0)? {
                (region.kind, region.what) = (Kind::Slack, "zeros");
            }
        }
        Ok(crate::report::rows(&regions, most))
    }

    /// How varied the bytes are at `columns` places of `window`: the entropy of a sample around each place, in bits a
    /// byte, from 0 (one value) to 8 (all values, equally often).
    ///
    /// # Errors
    /// Those of the source and the budget.
    pub fn variety(&self, window: Range<u64>, columns: u32, sample: usize) -> Result<Vec<f64>, Stop> {
        let bytes = self.bytes();
        let len = window.end.saturating_sub(window.start);
        (0..columns)
            .map(|column| {
                // The middle of the column, from halves of columns.
                let half = u128::from(len).saturating_mul(u128::from(column).saturating_mul(2).saturating_add(1));
                let middle = half.checked_div(u128::from(columns).saturating_mul(2)).unwrap_or(0);
                let middle = window.start.saturating_add(u64::try_from(middle).unwrap_or(u64::MAX));
                let start = middle.saturating_sub(sample as u64 / 2).min(bytes.len().saturating_sub(sample as u64));
                Ok(entropy(&bytes.peek(start, sample)?))
            })
            .collect()
    }

    /// The source of the opening that a step names.
    fn opening(&self, step: &Step) -> Result<Rc<dyn Source>, Stop> {
        let check = self.read()?;
        let same = |layer: &&super::Layer| {
            layer.parent == Some(0)
                && layer.name == step.name
                && layer.offset == step.offset
                && layer.bytes.len() == step.len
        };
        let layer = check.layers.iter().filter(same).nth(step.nth);
        layer
            .map(|layer| layer.bytes.rebased())
            .ok_or(Stop::malformed(step.offset.unwrap_or(0), "the layer that was here"))
    }

    /// Lets every reader read this layer, and nothing behind it. That a reader stopped early was said in the report.
    fn read(&self) -> Result<Check, Stop> {
        let mut check = Check::new(&self.name, self.source.clone(), self.budget.clone());
        if let Some(layer) = check.layers.first_mut().filter(|_| !self.is_file) {
            layer.origin = Origin::Member;
        }
        check.read(0)?;
        Ok(check)
    }
}

/// Shannon's entropy, in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let all = bytes.len() as f64;
    let share = |count: &u32| f64::from(*count) / all;
    // `+ 0.0` makes the negative zero of one value a plain one.
    -counts.iter().filter(|count| **count > 0).map(share).map(|share| share * share.log2()).sum::<f64>() + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        budget::{Limits, Quiet},
        check::{check, tests::checked},
        report::{Layer, Report},
    };

    fn again(report: &Report, file: &[u8], layer: usize) -> Result<Reopened, Stop> {
        let budget = Budget::new(Limits::default(), Rc::new(Quiet));
        reopen(&report.path, Rc::new(file.to_vec()), &way(report, layer), budget)
    }

    /// As the page makes it.
    fn way(report: &Report, mut layer: usize) -> Vec<Step> {
        let mut way = Vec::new();
        while let Some(parent) = report.layers[layer].parent {
            let it = &report.layers[layer];
            let alike = |other: &&Layer| {
                (other.parent, &other.name, other.offset, other.len, other.in_place)
                    == (it.parent, &it.name, it.offset, it.len, it.in_place)
            };
            let nth = report.layers[..layer].iter().filter(alike).count();
            let (name, offset, len, in_place) = (it.name.clone(), it.offset, it.len, it.in_place);
            way.insert(0, Step { name, offset, len, in_place, nth });
            layer = parent;
        }
        way
    }

    fn fixture(name: &str) -> Vec<u8> {
        let text = std::fs::read_to_string(format!("tests/fixtures/{name}.hex")).unwrap();
        let digits = text.lines().flat_map(|line| line.split('#').next().unwrap().split_whitespace());
        digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }

    fn fixtures() -> impl Iterator<Item = String> {
        let folders = std::fs::read_dir("tests/fixtures").unwrap().flatten().filter(|entry| entry.path().is_dir());
        folders.flat_map(|folder| {
            let format = folder.file_name().into_string().unwrap();
            std::fs::read_dir(folder.path()).unwrap().flatten().filter_map(move |file| {
                let name = file.file_name().into_string().unwrap();
                name.strip_suffix(".hex").map(|stem| format!("{format}/{stem}"))
            })
        })
    }

    /// Every layer of every fixture is found again, as long as it was, with the same regions.
    #[test]
    fn every_layer_of_every_fixture_opens_again() {
        let mut decoded = 0;
        for name in fixtures() {
            let file = fixture(&name);
            let report = check(&name, Rc::new(file.clone()), Limits::default(), Rc::new(Quiet));
            for layer in report.layers.iter().take(40) {
                let opened =
                    again(&report, &file, layer.id).unwrap_or_else(|stop| panic!("{name}: {}: {stop}", layer.name));
                assert_eq!(opened.bytes().len(), layer.len, "{name}: {}", layer.name);
                decoded += usize::from(layer.parent.is_some() && !layer.in_place);
                for finding in report.findings.iter().filter(|finding| finding.layer == layer.id) {
                    let excerpt =
                        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &finding.excerpt).unwrap();
                    assert_eq!(
                        opened.bytes().peek(finding.offset, excerpt.len()).unwrap(),
                        excerpt,
                        "{name}: {}",
                        finding.rule
                    );
                }
            }
        }
        assert!(decoded > 50, "{decoded}");
    }

    #[test]
    fn regions_of_a_window_are_finer_than_those_of_the_report() {
        let mut tar = Vec::new();
        for index in 0..400u32 {
            let mut head = vec![0u8; 512];
            let name = format!("file{index}.txt");
            head[..name.len()].copy_from_slice(name.as_bytes());
            head[100..107].copy_from_slice(b"0000644");
            head[124..135].copy_from_slice(b"00000000005");
            head[136..147].copy_from_slice(b"00000000000");
            head[156] = b'0';
            head[257..265].copy_from_slice(b"ustar\x0000");
            head[148..156].copy_from_slice(b"        ");
            let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
            head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            tar.extend(head);
            tar.extend(b"text\n");
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.extend([0; 1024]);
        let report = check("a.tar", Rc::new(tar.clone()), Limits::default(), Rc::new(Quiet));
        assert_eq!(report.layers.len(), 401);
        let several = |rows: &[Row]| rows.iter().any(|row| row.3 == "several parts");
        assert!(several(&report.layers[0].map));
        let opened = again(&report, &tar, 0).unwrap();
        let rows = opened.regions(102_400..106_496, 512).unwrap();
        assert!(!several(&rows));
        assert_eq!((rows[0].0, rows.last().unwrap().1), (102_400, 106_496));
        assert_eq!(rows.iter().filter(|row| row.2 == "nested").count(), 4);
        assert!(rows.windows(2).all(|two| two[0].1 == two[1].0));
        assert!(opened.regions(0..tar.len() as u64, 16).unwrap().len() <= 16);
    }

    #[test]
    fn a_layer_that_is_not_there_is_said_so() {
        let report = checked("a.txt", b"hello\n");
        let step = Step { name: "gone".into(), offset: Some(3), len: 5, in_place: false, nth: 0 };
        let budget = Budget::new(Limits::default(), Rc::new(Quiet));
        let opened = reopen(&report.path, Rc::new(b"hello\n".to_vec()), &[step], budget);
        assert_eq!(opened.err(), Some(Stop::malformed(3, "the layer that was here")));
    }

    #[test]
    fn variety_is_between_nothing_and_eight_bits() {
        let mut file = vec![0u8; 4096];
        file.extend((0..4096u32).map(|at| (at % 256) as u8));
        let budget = Budget::new(Limits::default(), Rc::new(Quiet));
        let opened = reopen("a.bin", Rc::new(file), &[], budget).unwrap();
        assert_eq!(opened.variety(0..8192, 2, 1024).unwrap(), [0.0, 8.0]);
        assert_eq!(opened.variety(8191..8192, 1, 1024).unwrap(), [8.0]);
        assert_eq!(opened.variety(0..0, 1, 16).unwrap(), [0.0]);
    }
}
