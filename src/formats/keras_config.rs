//! The configuration of a Keras model: JSON that says which classes and functions the model is made of.
//!
//! Specification: the serialization format of Keras (`keras.saving.serialize_keras_object`), versions 2 and 3.
//!
//! ```text
//! object   = { "class_name": name, "config": { … } | name, "module": name, "registered_name": name, … }
//! lambda 2 = { "class_name": "Lambda", "config": { "function": [ Base64 of marshalled code, … ], "function_type": "lambda" } }
//! lambda 3 = { "class_name": "__lambda__", "config": { "code": Base64 of marshalled code, … } }
//! ```
//! It stands in `config.json` of a `.keras` file and in the attribute `model_config` of an HDF5 file. Loading it imports
//! the modules and makes the objects that it names, and calls them once to find out their shapes.

use std::ops::Range;

use super::json::{self, Event, Step, Token, Walker};
use crate::{
    bytes::Bytes,
    format::{Buried, Candidate, Format, Nature, Visit},
    quote::quoted,
    reference::classify,
    rule::{Guideline, Rule, Runs, Severity},
    rules,
    stop::Stop,
};

/// A Keras model configuration.
pub static FORMAT: Format = Format {
    id: "keras-config",
    name: "Keras model configuration",
    spec: "https://keras.io/api/models/model_saving_apis/serialization_utils/",
    extensions: &[],
    media_types: &[],
    marks: &[],
    confirm,
    read,
    buried: Buried::No,
    nature: Nature::Data,
    within: Some(&json::FORMAT),
    rules: &[&FUNCTION, &LAMBDA, &MODULE, &PICKLED_LAYER],
};

/// A function that is none of those that layers are made with.
static FUNCTION: Rule = Rule {
    id: "keras-function-not-for-layers",
    title: "Loading this model calls a function that no layer needs",
    why: "The configuration asks Keras to fetch a function by its name and to call it while the model is loaded. It is none \
          of the functions that models are made of: it may run commands, fetch files or switch protections off.",
    advice: "Do not load the model. Ask the sender for the weights alone.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2025-1550", "https://nvd.nist.gov/vuln/detail/CVE-2025-8747"],
};

/// Python byte code.
static LAMBDA: Rule = Rule {
    id: "keras-lambda-code",
    title: "This model carries program code that runs when it is loaded",
    why: "A Lambda layer holds Python byte code. Keras makes a function of it and calls it to build the model.",
    advice: "Do not load the model. Ask the sender for one without Lambda layers, or for the weights alone.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2024-3660", "https://nvd.nist.gov/vuln/detail/CVE-2025-9905"],
};

/// A class of a module outside Keras.
static MODULE: Rule = Rule {
    id: "keras-module-from-outside",
    title: "This model needs program code from outside Keras",
    why: "The configuration names a Python module that is no part of Keras. Loading the model imports that module, which \
          runs it, and makes an object of the class that is named.",
    advice: "Look whether you know the module and meant to use it before you load the model.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Warning,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2025-1550"],
};

/// A layer that is a pickle.
static PICKLED_LAYER: Rule = Rule {
    id: "keras-pickled-layer",
    title: "This model carries a layer as a Python pickle",
    why: "A layer of this class holds a PyTorch module as a pickle, which Keras loads with the model. A pickle can run any \
          command.",
    advice: "Do not load the model. Ask the sender for the weights alone.",
    guideline: Guideline::Code,
    runs: Runs::OnOpen,
    severity: Severity::Danger,
    see: &["https://nvd.nist.gov/vuln/detail/CVE-2025-49655"],
};

/// How far a configuration is looked for in JSON text.
const LOOK: u64 = 64 << 20;

/// Whether some object has both a class and a configuration.
fn confirm(candidate: &Candidate<'_>) -> Result<bool, Stop> {
    let start = candidate.bytes.start();
    let mut objects = Objects::new(&candidate.bytes.window(start..start.saturating_add(LOOK)))?;
    while let Some(object) = objects.next()? {
        if object.class.is_some() && object.config {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The JSON reader claims the text and says where it is damaged; this one only looks at what is configured.
fn read(visit: &mut Visit<'_>) -> Result<(), Stop> {
    let mut objects = Objects::new(visit.bytes)?;
    while let Some(object) = objects.next()? {
        look(visit, &object)?;
    }
    Ok(())
}

fn look(visit: &mut Visit<'_>, object: &Object) -> Result<(), Stop> {
    let Some(class) = object.class.as_deref() else { return Ok(()) };
    let range = object.range.clone();
    let inner = &object.inner;
    if class == "__lambda__" || (class == "Lambda" && (inner.code || inner.lambda)) {
        return visit.find(&LAMBDA, range, format!("The class is {}, with code.", quoted(class)));
    }
    if class == "TorchModuleWrapper" {
        return visit.find(&PICKLED_LAYER, range, format!("The class is {}.", quoted(class)));
    }
    if matches!(class, "StringLookup" | "IntegerLookup" | "TextVectorization")
        && let Some(file) = &inner.vocabulary
        && let Some(rule) = rules::of_reference(&classify(file))
    {
        visit.find(rule, range.clone(), format!("The vocabulary of a layer is read from {}.", quoted(file)))?;
    }
    if class == "TFOpLambda"
        && let Some(name) = &inner.function
        && !is_calculation(name)
    {
        return visit.find(&FUNCTION, range, format!("A layer calls {} of TensorFlow.", quoted(name)));
    }
    let module = object.module.as_deref().unwrap_or_default();
    let function = object.text.as_deref().filter(|_| class == "function");
    match (origin(module), function) {
        (Origin::Outside, function) => {
            let name = function.unwrap_or(class);
            visit.find(&MODULE, range, format!("{} of the module {}.", quoted(name), quoted(module)))
        }
        (Origin::Python, Some(name)) if PYTHON.contains(&name) => {
            visit.find(&FUNCTION, range, format!("The function is {} of Python.", quoted(name)))
        }
        (Origin::Keras, Some(name)) if !is_for_layers(module) => {
            visit.find(&FUNCTION, range, format!("The function is {} of {}.", quoted(name), quoted(module)))
        }
        _ => Ok(()),
    }
}

/// Where a module comes from.
enum Origin {
    Keras,
    Python,
    Outside,
}

/// Packages of Keras and what it runs on.
const KERAS: &[&str] = &[
    "keras",
    "keras_core",
    "keras_cv",
    "keras_hub",
    "keras_nlp",
    "keras_rs",
    "keras_tuner",
    "tensorflow",
    "tf_keras",
    "tensorflow_addons",
    "tensorflow_probability",
];

fn origin(module: &str) -> Origin {
    let package = module.split('.').next().unwrap_or_default();
    // Old files name inner modules, which Keras does not import by these names.
    let inner = matches!(package, "layers" | "optimizers" | "losses" | "metrics" | "initializers" | "regularizers");
    match package {
        // Without a module Keras looks among what the program registered, and so it does for `__main__`.
        "" | "builtins" | "__main__" | "numpy" => Origin::Python,
        package if inner || KERAS.contains(&package) => Origin::Keras,
        _ => Origin::Outside,
    }
}

/// Functions of Python itself that do more than calculate. Keras names functions of programs as if they were here.
const PYTHON: &[&str] = &[
    "__build_class__",
    "__import__",
    "breakpoint",
    "compile",
    "delattr",
    "eval",
    "exec",
    "exit",
    "getattr",
    "globals",
    "help",
    "input",
    "locals",
    "open",
    "quit",
    "setattr",
    "vars",
];

/// Whether functions of a module of Keras are what layers are made with.
fn is_for_layers(module: &str) -> bool {
    const PARTS: &[&str] = &[
        "activations",
        "backend",
        "constraints",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "math",
        "nn",
        "ops",
        "optimizers",
        "regularizers",
        "applications",
        "random",
    ];
    // The package alone gives all names that Keras makes public.
    let parts: Vec<&str> = module.split('.').collect();
    parts.iter().any(|part| PARTS.contains(part)) && !parts.iter().any(|part| matches!(*part, "utils" | "saving"))
}

/// Whether an operation of TensorFlow only calculates.
fn is_calculation(name: &str) -> bool {
    let leaf = name.rsplit('.').next().unwrap_or(name);
    let touches_files = name.split('.').any(|part| matches!(part, "io" | "data" | "saved_model" | "train" | "raw_ops"));
    !touches_files && !matches!(leaf, "py_function" | "numpy_function" | "py_func" | "load_library" | "load_op_library")
}

/// An object of the configuration that was walked over.
#[derive(Default)]
struct Object {
    range: Range<u64>,
    class: Option<String>,
    module: Option<String>,
    /// Whether there is a configuration.
    config: bool,
    /// The configuration, where it is a name.
    text: Option<String>,
    /// What the members of the configuration say.
    inner: Inner,
    /// What the members of this object say.
    own: Inner,
    /// Whether this object is the configuration of the one around it.
    is_config: bool,
}

/// Members that matter if the object is a configuration.
#[derive(Clone, Default)]
struct Inner {
    /// Code stands where a function is expected.
    code: bool,
    /// Something is declared to be a lambda.
    lambda: bool,
    function: Option<String>,
    vocabulary: Option<String>,
}

/// All objects of JSON text, the inner ones first.
struct Objects {
    walker: Walker,
    open: Vec<Object>,
}

/// Letters of a name that are kept.
const NAME: usize = 300;

impl Objects {
    fn new(bytes: &Bytes) -> Result<Self, Stop> {
        Ok(Objects { walker: Walker::new(bytes)?, open: Vec::new() })
    }

    /// The next object that ended. Damaged text has no more.
    fn next(&mut self) -> Result<Option<Object>, Stop> {
        loop {
            let event = match self.walker.step() {
                Ok(Some(event)) => event,
                Ok(None) | Err(Stop::Malformed(_)) => return Ok(None),
                Err(stop) => return Err(stop),
            };
            match &event.token {
                Token::StartObject => {
                    let is_config = self.member().as_deref() == Some("config");
                    self.open.push(Object { range: event.range, is_config, ..Object::default() });
                }
                Token::EndObject => {
                    let Some(mut object) = self.open.pop() else { continue };
                    object.range.end = event.range.end;
                    if let (true, Some(around)) = (object.is_config, self.open.last_mut()) {
                        around.config = true;
                        around.inner = object.own.clone();
                    }
                    return Ok(Some(object));
                }
                Token::String(_) => self.text(&event),
                _ => {}
            }
        }
    }

    /// The name of the member that the walker stands at, if it is one of the innermost object.
    fn member(&self) -> Option<String> {
        match self.walker.path().next_back() {
            Some(Step::Key(key)) => Some(key.to_string()),
            _ => None,
        }
    }

    fn text(&mut self, event: &Event) {
        let Token::String(text) = &event.token else { return };
        let value = || text.text().chars().take(NAME).collect::<String>();
        let mut path = self.walker.path().rev();
        let (last, before) = (path.next(), path.next());
        let Some(object) = self.open.last_mut() else { return };
        match (last, before) {
            (Some(Step::Key("class_name")), _) => object.class = Some(value()),
            (Some(Step::Key("module")), _) => object.module = Some(value()),
            (Some(Step::Key("config")), _) => {
                object.config = true;
                object.text = Some(value());
            }
            (Some(Step::Key("function")), _) => object.own.function = Some(value()),
            (Some(Step::Key("vocabulary")), _) => object.own.vocabulary = Some(value()),
            (Some(Step::Key("code")), _) => object.own.code = true,
            (Some(Step::Key(key)), _) if key.ends_with("_type") => {
                object.own.lambda = object.own.lambda || text.raw == b"lambda";
            }
            // Keras 2: a list of code, defaults and closure.
            (Some(Step::Index(0)), Some(Step::Key("function" | "output_shape" | "mask"))) => object.own.code = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        check::tests::{checked, rules_of},
        report::Verdict,
    };

    fn model(layer: &str) -> String {
        format!(
            r#"{{"class_name": "Sequential", "config": {{"name": "m", "layers": [
            {{"module": "keras.layers", "class_name": "InputLayer", "config": {{"batch_shape": [null, 4]}}}}, {layer}]}}}}"#
        )
    }

    #[test]
    fn models_of_keras_are_just_data() {
        for layer in [
            r#"{"module": "keras.layers", "class_name": "Dense", "config": {"units": 3, "activation": "relu"},
                "registered_name": null}"#,
            r#"{"module": "keras.layers", "class_name": "Activation", "config": {"activation":
                {"module": "keras.activations", "class_name": "function", "config": "relu"}}}"#,
            r#"{"module": "builtins", "class_name": "function", "config": "my_loss", "registered_name": "my_loss"}"#,
            r#"{"class_name": "Lambda", "config": {"function": "scale", "function_type": "function", "module": "__main__"}}"#,
            r#"{"class_name": "StringLookup", "config": {"vocabulary": ["a", "b"]}}"#,
            r#"{"class_name": "StringLookup", "config": {"vocabulary": "words.txt"}}"#,
            r#"{"class_name": "TFOpLambda", "config": {"function": "math.reduce_mean"}}"#,
        ] {
            let report = checked("config.json", model(layer));
            assert_eq!(report.verdict, Verdict::JustData, "{report:#?}");
            assert_eq!(report.layers[0].formats, ["json", "keras-config"]);
        }
    }

    #[test]
    fn byte_code_is_found() {
        for layer in [
            r#"{"class_name": "Lambda", "config": {"function": ["4wEAAAA=", null, null], "function_type": "lambda"}}"#,
            r#"{"config": {"function_type": "lambda", "function": "4wEAAAA="}, "class_name": "Lambda"}"#,
            r#"{"class_name": "Lambda", "config": {"output_shape": ["4wEAAAA=", null, null], "function": "f"}}"#,
            r#"{"class_name": "Lambda", "config": {"function":
                {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": null}}}}"#,
        ] {
            assert_eq!(rules_of(&checked("config.json", model(layer))), ["keras-lambda-code"], "{layer}");
        }
    }

    #[test]
    fn functions_that_no_layer_needs_are_found() {
        for layer in [
            r#"{"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"}"#,
            r#"{"module": "keras.utils", "class_name": "function", "config": "get_file"}"#,
            r#"{"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"}"#,
            r#"{"class_name": "TFOpLambda", "config": {"function": "io.write_file"}}"#,
        ] {
            assert_eq!(rules_of(&checked("c.json", model(layer))), ["keras-function-not-for-layers"], "{layer}");
        }
    }

    #[test]
    fn modules_from_outside_and_pickled_layers_are_found() {
        let outside = r#"{"module": "os", "class_name": "function", "config": "system"}"#;
        assert_eq!(rules_of(&checked("c.json", model(outside))), ["keras-module-from-outside"]);
        let torch = r#"{"class_name": "TorchModuleWrapper", "config": {"module": "gAJ9"}}"#;
        assert_eq!(rules_of(&checked("c.json", model(torch))), ["keras-pickled-layer"]);
        let words = r#"{"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}"#;
        assert_eq!(rules_of(&checked("c.json", model(words))), ["reference-by-whole-path"]);
    }

    #[test]
    fn other_json_is_no_model() {
        let report = checked("c.json", r#"{"class_name": "Lambda", "function": ["x"], "items": [{"config": {}}]}"#);
        assert_eq!((report.verdict, report.layers[0].formats.len()), (Verdict::JustData, 1));
    }

    #[test]
    fn no_cut_is_just_data() {
        let whole = model(r#"{"class_name": "Dense", "config": {"units": 3}}"#);
        for len in 1..whole.len() {
            assert_ne!(checked("c.json", &whole.as_bytes()[..len]).verdict, Verdict::JustData, "cut at {len}");
        }
    }
}
