//! NcML: netCDF datasets described, changed or put together in XML.
//!
//! Specification: NcML 2.2 of netCDF-Java, its annotated schema.
//!
//! ```text
//! <netcdf xmlns="http://www.unidata.ucar.edu/namespaces/netcdf/ncml-2.2" location="a.nc">
//!   <aggregation type="joinExisting"><netcdf location="b.nc"/><scan location="data/" suffix=".nc"/></aggregation>
//! </netcdf>
//! ```
//! Locations are opened when the dataset is. `iosp` names the class that reads it.

use crate::{
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Token},
    quote::quoted,
    rule::{Guideline, Rule, Runs, Severity},
    stop::Stop,
};

/// NcML.
pub static FORMAT: Format = Format {
    id: "ncml",
    name: "NcML dataset",
    spec: "https://docs.unidata.ucar.edu/netcdf-java/current/userguide/annotated_ncml_schema.html",
    extensions: &["ncml"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[&READER],
};

/// A class that reads the data.
static READER: Rule = Rule {
    id: "ncml-names-reader-class",
    title: "This dataset names the program class that reads it",
    why: "netCDF-Java loads the class by its name to read the dataset. A class that the library does not bring comes from \
          wherever the program finds it.",
    advice: "Open it only if you know the class.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://docs.unidata.ucar.edu/netcdf-java/current/userguide/annotated_ncml_schema.html"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let Some(root) = xml::root(candidate)? else { return Ok(false) };
    let namespace = root.namespace.as_deref().unwrap_or_default();
    Ok(root.local() == "netcdf" && namespace.contains("/namespaces/netcdf/ncml"))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    xml::walk(visit, |visit, _, event| {
        let Token::Start(element) = &event.token else { return Ok(()) };
        for attribute in &element.attributes {
            if matches!(attribute.name.as_str(), "location" | "ncmlLocation" | "coordValueRef") {
                let subject = format!("The {} of {}", attribute.name, element.name);
                // A directory of many files may be given by its scheme: `cdmremote:https://…`
                let address = attribute.value.trim();
                let inner =
                    address.split_once(':').filter(|(_, rest)| rest.contains("://")).map_or(address, |(_, rest)| rest);
                follower.follow(visit, attribute.range.clone(), &subject, inner)?;
            }
            if attribute.name == "iosp" && attribute.value.contains('.') && !attribute.value.starts_with("ucar.") {
                let message = format!("The class is {}.", quoted(&attribute.value));
                visit.find(&READER, attribute.range.clone(), message)?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn dataset(attributes: &str, content: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<netcdf xmlns=\"http://www.unidata.ucar.edu/namespaces/netcdf/ncml-2.2\" {attributes}>\
             <attribute name=\"history\" value=\"https://example.org/dodsC/x\"/>{content}</netcdf>\n"
        )
    }

    #[test]
    fn datasets_are_just_data() {
        for (attributes, content) in [
            ("location=\"a.nc\"", ""),
            (
                "",
                "<aggregation type=\"union\"><netcdf location=\"data/b.nc\"/><scan location=\"data/\"/></aggregation>",
            ),
            ("location=\"file:a.nc\" iosp=\"ucar.nc2.iosp.grib.GribIosp\"", ""),
        ] {
            let report = checked("a.ncml", dataset(attributes, content));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{attributes} {content}");
            assert_eq!(report.layers[0].formats, ["xml", "ncml"]);
        }
    }

    #[test]
    fn locations_and_classes_are_found() {
        for (attributes, content, rule) in [
            ("location=\"dods://example.org/x\"", "", "reference-to-server"),
            ("location=\"cdmremote:https://example.org/x\"", "", "reference-to-server"),
            ("", "<aggregation><netcdf location=\"/etc/hostname\"/></aggregation>", "reference-by-whole-path"),
            ("", "<aggregation><scan location=\"../../../x/\"/></aggregation>", "reference-far-above"),
            ("location=\"a.bin\" iosp=\"com.example.Reader\"", "", "ncml-names-reader-class"),
        ] {
            assert_eq!(rules_of(&checked("a.ncml", dataset(attributes, content))), [rule], "{attributes} {content}");
        }
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = dataset("location=\"a.nc\"", "");
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.ncml", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn nc_03_locations() {
        let at = |location: &str| dataset(&format!("location=\"{location}\""), "");
        told("a.ncml", at("dods://192.0.2.1/x"), "reference-to-server", at("a.nc"));
    }
}
