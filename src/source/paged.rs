//! Pages kept of a slow source.

use std::{cell::RefCell, io, rc::Rc};

use super::Source;

/// A source read in whole pages, of which the last few are kept.
pub struct Paged {
    inner: Rc<dyn Source>,
    page_len: usize,
    keep: usize,
    /// Most recently used last.
    pages: RefCell<Vec<(u64, Vec<u8>)>>,
}

impl Paged {
    /// Reads `inner` in pages of `page_len` bytes and keeps `keep` of them.
    pub fn new(inner: Rc<dyn Source>, page_len: usize, keep: usize) -> Self {
        Paged { inner, page_len: page_len.max(1), keep: keep.max(1), pages: RefCell::new(Vec::new()) }
    }

    fn copy_from_page(&self, number: u64, skip: usize, into: &mut [u8]) -> io::Result<usize> {
        let mut pages = self.pages.borrow_mut();
        match pages.iter().position(|(kept, _)| *kept == number) {
            Some(index) => {
                let page = pages.remove(index);
                pages.push(page);
            }
            None => {
                let mut page = if pages.len() >= self.keep { pages.remove(0).1 } else { Vec::new() };
                page.resize(self.page_len, 0);
                let count = self.inner.read_at(number.saturating_mul(self.page_len as u64), &mut page)?;
                page.truncate(count);
                pages.push((number, page));
            }
        }
        let page = pages.last().map(|(_, page)| page.as_slice()).unwrap_or_default();
        let rest = page.get(skip..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(to), Some(bytes)) = (into.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(bytes);
        }
        Ok(count)
    }
}

impl Source for Paged {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        // A long read gains nothing from pages and would push out the useful ones.
        if into.len() >= self.page_len {
            return self.inner.read_at(at, into);
        }
        let page_len = self.page_len as u64;
        let mut done = 0;
        while done < into.len() {
            let place = at.saturating_add(done as u64);
            let skip = usize::try_from(place % page_len).unwrap_or(0);
            let rest = into.get_mut(done..).unwrap_or_default();
            match self.copy_from_page(place / page_len, skip, rest)? {
                0 => break,
                count => done = done.saturating_add(count),
            }
        }
        Ok(done)
    }

    fn forget(&self) {
        self.pages.borrow_mut().clear();
        self.inner.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_give_the_same_bytes() {
        let bytes: Vec<u8> = (0..1000u32).map(|n| (n * 7) as u8).collect();
        let paged = Paged::new(Rc::new(bytes.clone()), 16, 3);
        for (at, len) in [(0, 5), (14, 4), (990, 10), (990, 15), (500, 33), (3, 1), (1000, 4), (4000, 4)] {
            let mut into = vec![0; len];
            let count = paged.read_at(at as u64, &mut into).unwrap();
            let end = (at + len).min(1000);
            assert_eq!(into[..count], bytes[at.min(1000)..end.max(at.min(1000))]);
        }
    }
}
