//! CIFTI-2: what the rows and columns of a matrix of the brain stand for, in XML inside a NIfTI-2 image.
//!
//! Specification: CIFTI-2, <https://www.nitrc.org/projects/cifti/>.
//!
//! ```text
//! <CIFTI Version="2"><Matrix>
//!   <MetaData> … </MetaData>
//!   <MatrixIndicesMap AppliesToMatrixDimension="0,1" IndicesMapToDataType="CIFTI_INDEX_TYPE_BRAIN_MODELS">
//!     <BrainModel IndexCount="n"> <VertexIndices>n numbers</VertexIndices> | <VoxelIndicesIJK>3 n numbers</VoxelIndicesIJK>
//!     <Parcel Name="…"> <Vertices>…</Vertices> <VoxelIndicesIJK>…</VoxelIndicesIJK>
//!     <NamedMap> <MapName>…</MapName> <LabelTable><Label Key Red Green Blue Alpha>…</Label></LabelTable>
//! ```
//! The lists are numbers, and how many there are is said in front of them: what a list holds beyond that, programs pass
//! over.

use std::ops::Range;

use crate::{
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Token},
    numbers::{count, is_number, next_token},
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// CIFTI.
pub static FORMAT: Format = Format {
    id: "cifti",
    name: "CIFTI matrix description",
    spec: "https://www.nitrc.org/projects/cifti/",
    extensions: &[],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[&SURPLUS],
};

/// A list that goes on behind its end.
static SURPLUS: Rule = Rule {
    id: "cifti-surplus-indices",
    title: "A list in this file holds more than its count says",
    why: "A reader takes as many numbers as the count says and passes over the rest. The rest may be anything.",
    advice: "If the file matters, ask the sender what it is, or write it anew with a program that you trust.",
    guideline: Guideline::Code,
    runs: Runs::Never,
    severity: Severity::Warning,
    see: &["https://www.nitrc.org/projects/cifti/"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(xml::root(candidate)?.is_some_and(|root| root.name == "CIFTI"))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut indices = None;
    xml::walk(visit, |visit, walker, event| {
        let (text, name) = match &event.token {
            Token::Start(element) if element.name == "BrainModel" => {
                let value = element.attribute("IndexCount").map(|count| count.value.trim().as_bytes());
                indices = value.and_then(count);
                return Ok(());
            }
            Token::Text(text) => (text, walker.path().last().map_or("", String::as_str)),
            Token::End(name) if name == "BrainModel" => {
                indices = None;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let wanted = match name {
            "VertexIndices" => indices,
            "VoxelIndicesIJK" => indices.map(|count| count.saturating_mul(3)),
            "TransformationMatrixVoxelIndicesIJKtoXYZ" => Some(16),
            "Vertices" => None,
            _ => return Ok(()),
        };
        list(visit, text.range.clone(), name, wanted)
    })
}

/// A list of numbers: as many as are wanted, where that is known.
fn list(visit: &mut Visit<'_>, range: Range<u64>, name: &str, wanted: Option<u64>) -> Result<(), Stop> {
    let mut cursor = visit.bytes.window(range.clone()).cursor();
    let mut found = 0u64;
    loop {
        let token = match next_token(&mut cursor) {
            Err(stop @ Stop::Malformed(_)) => {
                visit.note(stop);
                return Ok(());
            }
            token => token?,
        };
        let Some((at, token)) = token else { break };
        if wanted.is_some_and(|wanted| found >= wanted) {
            let message = format!("{found} numbers belong to {name}; more follows at {at:#x}.");
            return visit.find(&SURPLUS, at..range.end, message);
        }
        if !is_number(&token) {
            visit.note(Stop::malformed(at, "a number"));
            return Ok(());
        }
        found = found.saturating_add(1);
    }
    if let Some(wanted) = wanted.filter(|wanted| found < *wanted) {
        visit.note(Stop::malformed(range.end, format!("{wanted} numbers, not {found}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn sample(vertices: &str, voxels: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CIFTI Version=\"2\"><Matrix>\
             <MetaData><MD><Name>Program</Name><Value>a 1 2</Value></MD></MetaData>\
             <MatrixIndicesMap AppliesToMatrixDimension=\"1\" IndicesMapToDataType=\"CIFTI_INDEX_TYPE_BRAIN_MODELS\">\
             <BrainModel IndexOffset=\"0\" IndexCount=\"3\" ModelType=\"CIFTI_MODEL_TYPE_SURFACE\">\
             <VertexIndices>{vertices}</VertexIndices></BrainModel>\
             <BrainModel IndexOffset=\"3\" IndexCount=\"2\" ModelType=\"CIFTI_MODEL_TYPE_VOXELS\">\
             <VoxelIndicesIJK>{voxels}</VoxelIndicesIJK></BrainModel>\
             <Parcel Name=\"a\"><Vertices BrainStructure=\"b\">1 2 3 4 5</Vertices></Parcel>\
             </MatrixIndicesMap></Matrix></CIFTI>\n"
        )
    }

    #[test]
    fn descriptions_are_just_data() {
        for (vertices, voxels) in [("0 1 2", "1 2 3\n4 5 6"), (" 0\n1\n2 \n", "\n1 2 3\n4 5 6\n")] {
            let report = checked("a.xml", sample(vertices, voxels));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{report:#?}");
            assert_eq!(report.layers[0].formats, ["xml", "cifti"]);
        }
    }

    #[test]
    fn more_than_the_count_says_is_found() {
        for (vertices, voxels) in [("0 1 2 3", "1 2 3 4 5 6"), ("0 1 2", "1 2 3 4 5 6 #!/bin/sh")] {
            assert_eq!(rules_of(&checked("a.xml", sample(vertices, voxels))), ["cifti-surplus-indices"], "{voxels}");
        }
    }

    #[test]
    fn damage_is_unfinished() {
        for (vertices, voxels) in [("0 1", "1 2 3 4 5 6"), ("0 1 two", "1 2 3 4 5 6")] {
            assert_eq!(checked("a.xml", sample(vertices, voxels)).verdict, Verdict::Unfinished);
        }
        let whole = sample("0 1 2", "1 2 3 4 5 6");
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.xml", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
