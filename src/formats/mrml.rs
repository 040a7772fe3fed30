//! MRML: the scene of 3D Slicer. Nodes with attributes; some of them name the files that hold the data.
//!
//! Specification: the MRML overview of the 3D Slicer developer guide; the `ReadXMLAttributes` of each node.
//!
//! ```text
//! <MRML version="Slicer 5.8.1">
//!   <Volume id="…" references="storage:vtkMRMLVolumeArchetypeStorageNode1;"/>
//!   <VolumeArchetypeStorage id="…" fileName="data/a%20b.nrrd" fileListMember0="…" uri="https://…"/>
//!   <IGTLConnector connectorType="SERVER" serverPort="18944" persistent="1" state="1"/>
//!   <CommandLineModule autorun="1"/>
//! </MRML>
//! ```
//! Values are percent-encoded. What acts when a scene is loaded: a storage node with a URI downloads; a connector of
//! OpenIGTLink that was saved as persistent and running is started again; the analysis of a module whose node runs by
//! itself starts when one of its inputs changes, as loading does.

use crate::{
    active_text,
    follow::Follower,
    format::{Buried, Candidate, Format, Nature, Visit},
    formats::xml::{self, Attribute, Element, Event, Token},
    quote::quoted,
    reference::{classify, percent_decoded},
    rich_text,
    rule::{Guideline, Rule, Runs, Severity},
    rules,
    stop::Stop,
};

/// A 3D Slicer scene.
pub static FORMAT: Format = Format {
    id: "mrml",
    name: "MRML scene",
    spec: "https://slicer.readthedocs.io/en/latest/developer_guide/mrml_overview.html",
    extensions: &["mrml"],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&xml::FORMAT),
    rules: &[&LISTENS, &CONNECTS, &AUTORUN, &NAMES_MODULE],
};

/// A connector that listens.
static LISTENS: Rule = Rule {
    id: "mrml-opens-port",
    title: "This scene opens a network port when it is loaded",
    why: "It holds an OpenIGTLink connector in server mode that was saved as persistent and running. When the scene is \
          loaded in 3D Slicer with the SlicerOpenIGTLink extension, the connector starts again and accepts connections \
          from the network.",
    advice: "Do not load the scene, or remove the connector node from it first. Share scenes without connectors.",
    guideline: Guideline::Listening,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://github.com/openigtlink/SlicerOpenIGTLink"],
};

/// A connector that dials out.
static CONNECTS: Rule = Rule {
    id: "mrml-connects-to-server",
    title: "This scene connects to another computer when it is loaded",
    why: "It holds an OpenIGTLink connector in client mode that was saved as persistent and running. When the scene is \
          loaded in 3D Slicer with the SlicerOpenIGTLink extension, the connector dials its server and goes on trying.",
    advice: "Do not load the scene, or remove the connector node from it first. Share scenes without connectors.",
    guideline: Guideline::Reporting,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://github.com/openigtlink/SlicerOpenIGTLink"],
};

/// A module that runs by itself.
static AUTORUN: Rule = Rule {
    id: "mrml-module-runs-by-itself",
    title: "This scene starts an analysis by itself",
    why: "It holds the parameters of a command-line module with automatic running switched on. Where the module is \
          installed, 3D Slicer starts it with these parameters when one of its inputs changes, without asking.",
    advice: "Load it only if you trust the sender, or set autorun to 0 in the scene first.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://slicer.readthedocs.io/en/latest/developer_guide/modules/slicerexecutionmodel.html"],
};

/// A parameter that names a module to import.
static NAMES_MODULE: Rule = Rule {
    id: "mrml-parameter-names-module",
    title: "A parameter in this scene names Python code to load",
    why: "The parameter gives the type of another one as the name of a Python module and a class. When 3D Slicer \
          reads the parameter for a scripted module that accepts any type, it loads that Python module.",
    advice: "Ask the sender what it is for.",
    guideline: Guideline::Code,
    runs: Runs::OnUse,
    severity: Severity::Warning,
    see: &["https://slicer.readthedocs.io/en/latest/developer_guide/parameter_nodes/overview.html"],
};

fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    Ok(xml::root(candidate)?.is_some_and(|root| root.name == "MRML"))
}

fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut follower = Follower::default();
    xml::walk(visit, |visit, _, event| match &event.token {
        Token::Doctype(doctype) => {
            let message = format!("A declaration of the type {}.", quoted(&doctype.name));
            visit.find(&rules::DOCTYPE_UNEXPECTED, event.range.clone(), message)
        }
        Token::Start(node) => look(visit, &mut follower, event, node),
        _ => Ok(()),
    })
}

fn look(visit: &mut Visit<'_>, follower: &mut Follower, event: &Event, node: &Element) -> Result<(), Stop> {
    if node.name == "IGTLConnector" || node.attribute("connectorType").is_some() {
        look_at_connector(visit, event, node)?;
    }
    if let Some(autorun) = node.attribute("autorun").filter(|autorun| is_set(autorun)) {
        let module = value_of(node, "title").or_else(|| value_of(node, "name")).unwrap_or_default();
        let message = format!("The module {} is set to run by itself.", quoted(&module));
        visit.find(&AUTORUN, autorun.range.clone(), message)?;
    }
    for attribute in &node.attributes {
        let value = percent_decoded(&attribute.value);
        if is_file(&attribute.name) {
            let subject =
                format!("The {} of {}, which 3D Slicer reads when it loads the scene,", attribute.name, node.name);
            follower.follow(visit, attribute.range.clone(), &subject, value.trim())?;
        } else if attribute.name == "uri" || is_numbered(&attribute.name, "uriListMember") {
            // A file name in brackets may stand in front: `[brain.nrrd]: https://…`
            let uri = value.trim();
            let uri = uri.strip_prefix('[').and_then(|rest| rest.split_once("]:")).map_or(uri, |(_, uri)| uri.trim());
            let subject =
                format!("The {} of {}, which 3D Slicer downloads when it loads the scene,", attribute.name, node.name);
            // Only what comes from another computer has a handler; a local file is read by its name.
            if classify(uri).connects() {
                follower.follow(visit, attribute.range.clone(), &subject, uri)?;
            }
        } else if is_numbered(&attribute.name, "parameter") {
            look_at_parameter(visit, follower, attribute)?;
        }
        let subject = format!("The {} of {}", attribute.name, node.name);
        if node.name == "Text" && attribute.name == "text" {
            active_text::look(visit, attribute.range.clone(), &subject, value.as_bytes())?;
        } else {
            rich_text::look(visit, follower, attribute.range.clone(), &subject, &value)?;
        }
    }
    Ok(())
}

/// Attributes of storage nodes, and of a scene's pictures, that name a file.
fn is_file(name: &str) -> bool {
    matches!(name, "fileName" | "screenCaptureFilename") || is_numbered(name, "fileListMember")
}

fn is_numbered(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem).is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn value_of(node: &Element, name: &str) -> Option<String> {
    node.attribute(name).map(|attribute| percent_decoded(&attribute.value))
}

/// Whether a number is not 0, read as a stream reads an integer: up to the first character that is no digit.
fn is_set(attribute: &Attribute) -> bool {
    let value = percent_decoded(&attribute.value);
    let value = value.trim_start();
    let digits = value.trim_start_matches(['+', '-']);
    digits.bytes().take_while(u8::is_ascii_digit).any(|digit| digit != b'0') || value.eq_ignore_ascii_case("true")
}

fn look_at_connector(visit: &mut Visit<'_>, event: &Event, node: &Element) -> Result<(), Stop> {
    let set = |name| node.attribute(name).is_some_and(is_set);
    // Only a connector that is both saved as persistent and as running is started again.
    if !set("persistent") || !set("state") {
        return Ok(());
    }
    let port = value_of(node, "serverPort").unwrap_or_else(|| "18944".into());
    match value_of(node, "connectorType").unwrap_or_default().trim() {
        "SERVER" => {
            let message = format!(
                "When this scene is loaded in 3D Slicer with the OpenIGTLink extension, it asks for a server on port {}.",
                quoted(&port)
            );
            visit.find(&LISTENS, event.range.clone(), message)
        }
        "CLIENT" => {
            let host = value_of(node, "serverHostname").unwrap_or_else(|| "localhost".into());
            let message = format!(
                "When this scene is loaded in 3D Slicer with the OpenIGTLink extension, it asks for a connection to {}, \
                 port {}.",
                quoted(&host),
                quoted(&port)
            );
            visit.find(&CONNECTS, event.range.clone(), message)
        }
        _ => Ok(()),
    }
}

/// Packages whose types a parameter may have.
const PACKAGES: &[&str] =
    &["builtins", "collections", "datetime", "enum", "numpy", "pathlib", "slicer", "typing", "vtk", "vtkmodules"];

/// A parameter of a scripted module is its name, a space, its value.
fn look_at_parameter(visit: &mut Visit<'_>, follower: &mut Follower, attribute: &Attribute) -> Result<(), Stop> {
    let decoded = percent_decoded(&attribute.value);
    let Some((name, value)) = decoded.split_once(' ') else { return Ok(()) };
    let Some((package, _)) = value.split_once('.').filter(|_| name.ends_with(".type")) else { return Ok(()) };
    let dotted = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
    if dotted && !PACKAGES.contains(&package) {
        let message = format!("The parameter {} is {}.", quoted(name), quoted(value));
        follower.tell(visit, &NAMES_MODULE, attribute.range.clone(), "", message)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of, told},
        report::Verdict,
    };

    fn scene(nodes: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MRML version=\"Slicer 5.8.1\" userTags=\"\">\n{nodes}\n</MRML>\n"
        )
    }

    fn storage(attributes: &str) -> String {
        scene(&format!(
            "<VolumeArchetypeStorage id=\"vtkMRMLVolumeArchetypeStorageNode1\" {attributes}></VolumeArchetypeStorage>"
        ))
    }

    fn connector(attributes: &str) -> String {
        scene(&format!(
            "<IGTLConnector id=\"1\" serverPort=\"18945\" serverHostname=\"192.0.2.10\" {attributes}></IGTLConnector>"
        ))
    }

    #[test]
    fn scenes_are_just_data() {
        for sample in [
            scene(""),
            storage("fileName=\"Data/a%20b.nrrd\" fileListMember0=\"Data/a%20b.nrrd\" uri=\"\""),
            storage("fileName=\"../CT.nrrd\" readState=\"0\""),
            connector("connectorType=\"SERVER\" persistent=\"0\" state=\"0\""),
            connector("connectorType=\"SERVER\" persistent=\"1\" state=\"0\""),
            connector("connectorType=\"CLIENT\" persistent=\"0\" state=\"1\""),
            scene("<CommandLineModule name=\"cli\" autorun=\"0\" autorunmode=\"7\"></CommandLineModule>"),
            scene(
                "<ScriptedModule ModuleName=\"M\" parameter0= \"x 1.5\" parameter1= \"y.type builtins.int\"></ScriptedModule>",
            ),
            scene(
                "<Text text=\"{ &quot;spacing&quot;: 1.5 }\" description=\"a &lt;b&gt; https://example.org\"></Text>",
            ),
        ] {
            let report = checked("a.mrml", sample.clone());
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::JustData, vec![]), "{sample}");
            assert!(report.layers[0].formats.contains(&"mrml".into()));
        }
    }

    #[test]
    fn connectors_that_start_are_found() {
        let report = checked("a.mrml", connector("connectorType=\"SERVER\" persistent=\"1\" state=\"1\""));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["mrml-opens-port"]));
        assert!(report.findings[0].message.contains("18945"));
        let report = checked("a.mrml", connector("state=\" 2\" connectorType=\"CLIENT\" persistent=\"01\""));
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["mrml-connects-to-server"]));
        assert!(report.findings[0].message.contains("192.0.2.10"));
    }

    #[test]
    fn analyses_that_start_are_found() {
        let sample = scene(
            "<CommandLineModule title=\"Gradient%20Filter\" autorunmode=\"7\" autorun=\"1\"></CommandLineModule>",
        );
        let report = checked("a.mrml", sample);
        assert_eq!((report.verdict, rules_of(&report)), (Verdict::Code, vec!["mrml-module-runs-by-itself"]));
        assert!(report.findings[0].message.contains("Gradient Filter"));
    }

    #[test]
    fn references_that_leave_are_found() {
        for (attributes, rule) in [
            ("uri=\"http://192.0.2.13/brain.nrrd\"", "reference-to-server"),
            ("uriListMember0=\"https%3a//example.org/b.raw\"", "reference-to-server"),
            ("uri=\"[a.nrrd]: https://example.org/b.raw\"", "reference-to-server"),
            ("fileName=\"\\\\192.0.2.14\\share\\x.nrrd\"", "reference-to-server"),
            ("fileName=\"../../../../etc/hostname\"", "reference-far-above"),
            ("fileListMember12=\"%2e%2e%2f%2e%2e%2fetc%2fhostname\"", "reference-far-above"),
            ("fileName=\"/etc/hostname\"", "reference-by-whole-path"),
            ("fileName=\"C:/Users/x/a.nrrd\"", "reference-by-whole-path"),
        ] {
            let report = checked("a.mrml", storage(attributes));
            assert_eq!((report.verdict, rules_of(&report)), (Verdict::Caution, vec![rule]), "{attributes}");
        }
    }

    #[test]
    fn declarations_modules_and_texts_that_load_are_found() {
        let declared = "<?xml version=\"1.0\"?><!DOCTYPE MRML [<!ENTITY x \"y\">]>\n<MRML version=\"5.8\">&x;</MRML>";
        assert_eq!(rules_of(&checked("a.mrml", declared)), ["doctype-unexpected"]);
        let module = scene("<ScriptedModule parameter0= \"x.type evil.module.Thing\"></ScriptedModule>");
        assert_eq!(rules_of(&checked("a.mrml", module)), ["mrml-parameter-names-module"]);
        let server = connector("connectorType='SERVER' persistent='1' state='1'");
        let far = server.replace("<MRML", &format!("<!--{}--><MRML", "x".repeat(3 << 20)));
        assert_eq!(rules_of(&checked("a.mrml", far)), ["mrml-opens-port"]);
        let text = scene("<SceneView sceneViewDescription=\"%3Cimg src='http://192.0.2.1/x.png'%3E\"></SceneView>");
        assert_eq!(rules_of(&checked("a.mrml", text)), ["rich-text-loads-from-server"]);
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = storage("fileName=\"a.nrrd\"");
        for len in 1..whole.trim_end().len() {
            assert_ne!(checked("a.mrml", &whole[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }

    #[test]
    fn mrml_01_connectors() {
        let server = |state| connector(&format!("connectorType=\"SERVER\" persistent=\"1\" state=\"{state}\""));
        told("a.mrml", server(1), "mrml-opens-port", server(0));
        let client =
            |persistent| connector(&format!("connectorType=\"CLIENT\" persistent=\"{persistent}\" state=\"2\""));
        told("b.mrml", client(1), "mrml-connects-to-server", client(0));
        let wide = |text: String| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let wide = |state| wide(format!("\u{feff}{}", server(state).replace("UTF-8", "UTF-16")));
        told("c.mrml", wide(1), "mrml-opens-port", wide(0));
    }

    #[test]
    fn mrml_02_storage_at_an_address() {
        told(
            "a.mrml",
            storage("uri=\"[a%20b.nrrd]:http%3A//192.0.2.1/a\""),
            "reference-to-server",
            storage("uri=\"\""),
        );
        let file = storage("fileName=\"a.nrrd\" uri=\"file:///tmp/a.nrrd\"");
        told("b.mrml", storage("uriListMember3=\"https://192.0.2.1/a\""), "reference-to-server", file);
    }

    #[test]
    fn mrml_03_files_elsewhere() {
        let beside = storage("fileName=\"../x.nrrd\"");
        told("a.mrml", storage("fileName=\"%2Fetc%2Fhostname\""), "reference-by-whole-path", beside);
        let beside = storage("fileName=\"Data/a%20b.nrrd\"");
        told("b.mrml", storage("fileListMember0=\"\\\\192.0.2.1\\s\\x.nrrd\""), "reference-to-server", beside);
    }

    #[test]
    fn mrml_04_modules_that_run_by_themselves() {
        let module =
            |autorun| scene(&format!("<CommandLineModule title=\"x\" autorun=\"{autorun}\"></CommandLineModule>"));
        told("a.mrml", module(1), "mrml-module-runs-by-itself", module(0));
    }

    #[test]
    fn mrml_05_a_document_type() {
        let declared = scene("").replace("<MRML", "<!DOCTYPE MRML [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><MRML");
        told("a.mrml", declared, "doctype-unexpected", scene("<Text text=\"&lt;!DOCTYPE x&gt;\"></Text>"));
    }

    #[test]
    fn mrml_06_texts_that_load() {
        let view = |text: &str| scene(&format!("<SceneView sceneViewDescription=\"{text}\"></SceneView>"));
        let remote = view("%3Cimg src='http://192.0.2.1/x.png'%3E");
        told("a.mrml", remote, "rich-text-loads-from-server", view("%3Cb%3Ebold%3C/b%3E, see https://example.org"));
    }

    #[test]
    fn mrml_07_a_parameter_that_names_a_module() {
        let module = |kind: &str| scene(&format!("<ScriptedModule parameter0= \"x.type {kind}\"></ScriptedModule>"));
        told("a.mrml", module("evil.module.Thing"), "mrml-parameter-names-module", module("builtins.int"));
    }

    #[test]
    fn mrml_08_a_text_that_is_a_program() {
        let text = |text: &str| scene(&format!("<Text text=\"{text}\"></Text>"));
        let program = text("import os&#10;os.system('id')&#10;");
        told("a.mrml", program, "program-text-in-value", text("{&quot;spacing&quot;: 1.5}"));
    }
}
