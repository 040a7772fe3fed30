//! What a Python name may be used for by a data file, and what it can do.
//!
//! Formats that Python programs write (pickle, NumPy object arrays, joblib, PyTorch) refer to classes and functions
//! by module and name, and say what to do with them: call them, make an instance of them, or only mention them.
//! The lists below allow names by the role in which honest writers use them; what stands on no list is not allowed.
//! Names that look up or call other names (`getattr`, `importlib.import_module`, `functools.reduce`, …) never stand
//! on a list: with them every other name is in reach.
//!
//! The table `DEEDS` decides nothing between data and code; it only finds words for what a name can do.

use std::fmt;

/// A module and a name in it, as Python 3 knows them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PythonName {
    /// The module, with dots.
    pub module: String,
    /// The name in the module: dots only where a pickle asks for an attribute of an attribute.
    pub name: String,
}

/// In which role a data file may use a name; each role includes those that follow.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// May be called with any arguments: it only builds a value.
    Called,
    /// May be instantiated without its constructor, and given a state.
    Instantiated,
    /// May be mentioned.
    Mentioned,
    /// On no list.
    Unlisted,
}

/// Where the code behind a name lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Home {
    /// Python itself, or what comes with every Python.
    Standard,
    /// The program that opens the file (`__main__`).
    Main,
    /// A package that somebody installed.
    Installed,
}

/// What a name can do, for the wording of a finding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deed {
    /// As a verb: "runs a command".
    pub does: &'static str,
    /// Which guideline it concerns.
    pub effect: Effect,
}

/// What a deed reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Code runs.
    Code,
    /// A server is contacted.
    Connects,
    /// A port is opened.
    Listens,
}

impl PythonName {
    /// The name as Python 3 resolves it: modules that Python 2 called otherwise are translated.
    pub fn new(module: &str, name: &str) -> Self {
        let (module, name) = match RENAMED.iter().find(|row| row.0 == module && row.1 == name) {
            Some(row) => (row.2, row.3),
            None => (RENAMED_MODULES.iter().find(|row| row.0 == module).map_or(module, |row| row.1), name),
        };
        PythonName { module: module.to_string(), name: name.to_string() }
    }

    /// The role that the lists allow.
    pub fn standing(&self) -> Standing {
        let listed = |list| is_listed(list, &self.module, &self.name);
        if listed(CALLED) {
            Standing::Called
        } else if listed(INSTANTIATED) {
            Standing::Instantiated
        } else if listed(MENTIONED) {
            Standing::Mentioned
        } else {
            Standing::Unlisted
        }
    }

    /// Where its code lives.
    pub fn home(&self) -> Home {
        let top = self.module.split('.').next().unwrap_or_default();
        match top {
            "__main__" | "__mp_main__" => Home::Main,
            _ if STANDARD.split_ascii_whitespace().any(|module| module == top) => Home::Standard,
            _ => Home::Installed,
        }
    }

    /// Whether its package is one whose constructors that pickles call are all on the list.
    pub fn is_of_charted_package(&self) -> bool {
        matches!(self.module.split('.').next(), Some("numpy" | "pandas" | "scipy" | "sklearn" | "torch"))
    }

    /// What it can do, where that is known.
    pub fn deed(&self) -> Option<Deed> {
        let (_, _, does, effect) = DEEDS.iter().find(|row| fits(row.0, row.1, &self.module, &self.name))?;
        Some(Deed { does, effect: *effect })
    }

    /// Whether it builds functions, classes or modules from program code that the file carries.
    pub fn builds_code(&self) -> bool {
        is_listed(CODE_BUILDERS, &self.module, &self.name)
    }

    /// Whether it is written like a class: one capital first letter, no dots.
    pub fn is_class_like(&self) -> bool {
        is_class_like(&self.name)
    }

    /// Whether it is written like the class of an exception, whose constructor keeps its arguments and does no more.
    pub fn is_exception_like(&self) -> bool {
        let ends = |end| self.name.ends_with(end);
        self.is_class_like() && (ends("Error") || ends("Exception") || ends("Warning"))
    }

    /// Whether the name is a plain one: no attribute of an attribute, none of Python's own hooks.
    pub fn is_plain(&self) -> bool {
        is_identifier(&self.name) && !self.name.starts_with("__") && !self.module.split('.').any(is_hook)
    }

    /// Whether module and name could be imported at all.
    pub fn is_importable(&self) -> bool {
        self.module.split('.').all(is_identifier) && self.name.split('.').all(is_identifier)
    }
}

impl fmt::Display for PythonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}

/// Python's own hooks in a module path, such as `numpy.__builtins__`; `__main__` and the like are modules.
fn is_hook(part: &str) -> bool {
    part.starts_with("__") && !matches!(part, "__main__" | "__mp_main__" | "__future__" | "__builtin__" | "__torch__")
}

fn is_identifier(text: &str) -> bool {
    let first = |character: char| character.is_alphabetic() || character == '_';
    text.starts_with(first) && text.chars().all(|character| character.is_alphanumeric() || character == '_')
}

fn is_class_like(name: &str) -> bool {
    let stem = name.strip_prefix('_').unwrap_or(name);
    is_identifier(name) && stem.starts_with(|first: char| first.is_ascii_uppercase())
}

/// A row of a list: a module (`a.b`, or `a.**` with all below it), and names behind each other: a name,
/// `[A-Z]*` for what is written like a class, `[a-z]*` for what is written like a function, `x*` and `*x` for a beginning and an end, `*` for any.
type Row = (&'static str, &'static str);

/// A pattern never allows an attribute of an attribute or one of Python's hooks; only a name that is spelled out does.
fn is_listed(list: &[Row], module: &str, name: &str) -> bool {
    let plain = is_identifier(name) && (!name.starts_with("__") || name.starts_with(CYTHON));
    let spelled = |names: &str| names.split_ascii_whitespace().any(|listed| listed == name);
    list.iter().any(|(modules, names)| (plain || spelled(names)) && fits(modules, names, module, name))
}

/// How Cython calls the function that it writes for the pickling of an extension class.
const CYTHON: &str = "__pyx_unpickle_";

fn fits(modules: &str, names: &str, module: &str, name: &str) -> bool {
    let below = |root: &str| module.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let inside = match modules.strip_suffix(".**") {
        Some(root) => below(root),
        None => modules == "**" || modules == module,
    };
    inside && names.split_ascii_whitespace().any(|pattern| fits_name(pattern, name))
}

fn fits_name(pattern: &str, name: &str) -> bool {
    if pattern == "[A-Z]*" {
        return is_class_like(name);
    }
    if pattern == "[a-z]*" {
        return name.starts_with(|first: char| first.is_ascii_lowercase());
    }
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(""), _) => true,
        (Some(start), _) => name.starts_with(start),
        (_, Some(end)) => name.ends_with(end),
        _ => pattern == name,
    }
}

/// Only build a value, whatever they are called with.
const CALLED: &[Row] = &[
    ("_codecs", "encode"),
    ("_io", "BytesIO StringIO"),
    ("array", "array _array_reconstructor"),
    ("argparse", "Namespace"),
    ("ast", "[A-Z]*"),
    (
        "builtins",
        "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple len \
         NotImplementedType ellipsis reversed enumerate zip memoryview \
         BaseException Exception StopIteration KeyboardInterrupt GeneratorExit *Error *Warning",
    ),
    ("collections", "ChainMap Counter OrderedDict UserDict UserList UserString defaultdict deque"),
    ("copyreg", "__newobj__ __newobj_ex__ _reconstructor"),
    ("datetime", "date datetime time timedelta timezone tzinfo"),
    ("dateutil.tz.**", "tzutc tzlocal tzoffset tzrange tzstr tzfile"),
    ("decimal", "Context Decimal"),
    ("fractions", "Fraction"),
    ("http", "HTTPMethod HTTPStatus"),
    ("inspect", "BoundArguments Parameter Signature _ParameterKind"),
    ("io", "BytesIO StringIO"),
    ("ipaddress", "[A-Z]*"),
    ("itertools", "chain combinations compress count cycle islice permutations product repeat zip_longest"),
    ("logging", "getLogger"),
    ("os", "stat_result statvfs_result terminal_size times_result uname_result"),
    ("pathlib.**", "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath"),
    ("platform", "uname_result"),
    ("pytz.**", "_UTC _p"),
    ("random", "Random"),
    ("re", "_compile RegexFlag"),
    ("sre", "_compile"),
    ("signal", "Handlers Sigmasks Signals"),
    ("socket", "AddressFamily AddressInfo MsgFlag SocketKind"),
    ("sre_constants", "_compile"),
    ("time", "struct_time"),
    ("types", "GenericAlias MappingProxyType SimpleNamespace"),
    ("uuid", "SafeUUID UUID"),
    ("zoneinfo", "ZoneInfo ZoneInfo._unpickle"),
    // NumPy
    ("numpy", "dtype ndarray *DType matrix record recarray bool bool_ str_ bytes_ void object_ int* uint* float*"),
    ("numpy", "complex* datetime64 timedelta64 longdouble clongdouble half single double intc intp longlong ulonglong"),
    ("numpy._core._internal", "_convert_to_stringdtype_kwargs _reconstruct"),
    ("numpy._core.multiarray", "_reconstruct scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy._core.records", "recarray record"),
    ("numpy.core._internal", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy.core.records", "recarray record"),
    ("numpy.dtypes", "[A-Z]*"),
    ("numpy.ma", "MaskedArray"),
    ("numpy.ma.core", "MaskedArray _mareconstruct mvoid"),
    ("numpy.matrixlib.defmatrix", "matrix"),
    ("numpy.random", "RandomState __RandomState_ctor __randomstate_ctor"),
    ("numpy.random._generator", "Generator"),
    ("numpy.random._mt19937", "MT19937"),
    ("numpy.random._pcg64", "PCG64 PCG64DXSM"),
    ("numpy.random._philox", "Philox"),
    ("numpy.random._pickle", "__bit_generator_ctor __generator_ctor __randomstate_ctor"),
    ("numpy.random._sfc64", "SFC64"),
    ("numpy.random.bit_generator", "SeedSequence"),
    ("numpy.random.mtrand", "RandomState __randomstate_ctor"),
    ("numpy.rec", "recarray record"),
    ("ml_dtypes.**", "bfloat16 float* int* uint*"),
    // What Cython writes for every extension class: makes an empty instance and fills its fields.
    ("**", "__pyx_unpickle_*"),
    // SciPy, pandas, scikit-learn and what stands beside them
    ("scipy.sparse.**", "*_matrix *_array"),
    ("scipy.spatial.**", "cKDTree KDTree Rotation"),
    (
        "pandas",
        "Categorical DataFrame DateOffset Index Interval IntervalIndex MultiIndex NaT Period PeriodIndex RangeIndex \
         Series Timedelta TimedeltaIndex Timestamp DatetimeIndex CategoricalIndex *Dtype",
    ),
    ("pandas._libs.**", "[A-Z]* _unpickle_block _nat_unpickle __nat_unpickle _unpickle_timestamp _timedelta_unpickle"),
    ("pandas.arrays", "[A-Z]*"),
    ("pandas.core.arrays.**", "[A-Z]*"),
    ("pandas.core.dtypes.**", "[A-Z]*"),
    ("pandas.core.indexes.**", "_new_DatetimeIndex _new_Index _new_PeriodIndex [A-Z]*"),
    ("pandas.core.internals.**", "new_block [A-Z]*"),
    ("pandas.indexes.**", "_new_DatetimeIndex _new_Index _new_PeriodIndex"),
    ("pandas.tseries.**", "[A-Z]*"),
    ("_loss", "Cy*"),
    ("sklearn._loss.**", "[A-Z]*"),
    ("sklearn.**", "newObj"),
    ("sklearn.linear_model._sgd_fast", "[A-Z]*"),
    ("sklearn.linear_model.sgd_fast", "[A-Z]*"),
    ("sklearn.metrics._dist_metrics", "[A-Z]*"),
    ("sklearn.neighbors.**", "[A-Z]*"),
    ("sklearn.tree.**", "[A-Z]*"),
    ("sklearn.utils._bunch", "Bunch"),
    ("sklearn.utils", "Bunch"),
    ("gym.spaces.**", "[A-Z]*"),
    ("gymnasium.spaces.**", "[A-Z]*"),
    ("stable_baselines3.common.type_aliases", "[A-Z]*"),
    ("pyarrow.lib", "type_for_alias py_buffer _reconstruct_record_batch _reconstruct_table"),
    ("shapely.io", "from_wkb"),
    ("shapely.wkb", "loads"),
    ("pydicom.valuerep", "[A-Z]*"),
    ("pydicom.uid", "UID"),
    // PyTorch
    ("torch", "Size device dtype Generator finfo iinfo *Storage *Tensor Tensor"),
    ("torch._tensor", "_rebuild_from_type _rebuild_from_type_v2 Tensor"),
    (
        "torch._utils",
        "_rebuild_device_tensor_from_cpu_tensor _rebuild_device_tensor_from_numpy _rebuild_meta_tensor_no_storage \
         _rebuild_nested_tensor _rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor \
         _rebuild_sparse_csr_tensor _rebuild_sparse_tensor _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 \
         _rebuild_wrapper_subclass _rebuild_xla_tensor",
    ),
    ("torch.cuda", "*Storage *Tensor"),
    (
        "torch.jit._pickle",
        "build_boollist build_doublelist build_intlist build_tensor_from_id build_tensorlist restore_type_tag",
    ),
    ("torch.nn.parameter", "Buffer Parameter UninitializedBuffer UninitializedParameter"),
    ("torch.serialization", "_get_layout"),
    ("torch.storage", "TypedStorage UntypedStorage _LegacyStorage _load_from_bytes"),
    ("torch.tensor", "_rebuild_from_type Tensor"),
    ("torchvision.transforms.functional", "InterpolationMode"),
    ("transformers.debug_utils", "DebugOption"),
    (
        "transformers.trainer_utils",
        "EvaluationStrategy FSDPOption HubStrategy IntervalStrategy SaveStrategy SchedulerType ShardedDDPOption",
    ),
    ("transformers.training_args", "OptimizerNames ParallelMode"),
    // Loads a model from bytes in the pickle, which are read as a file of their own.
    ("keras.**", "deserialize_model_from_bytecode"),
    ("tf_keras.**", "deserialize_model_from_bytecode"),
    ("tensorflow.python.keras.**", "deserialize_model_from_bytecode"),
    ("monai.data.meta_tensor", "MetaTensor"),
    ("monai.utils.enums", "[A-Z]*"),
];

/// May be instantiated without their constructor, and given a state.
const INSTANTIATED: &[Row] = &[
    ("__torch__.**", "[A-Z]*"),
    ("accelerate.**", "[A-Z]*"),
    ("catboost.**", "[A-Z]*"),
    ("dataclasses", "[A-Z]* _*_TYPE"),
    ("email.**", "[A-Z]*"),
    ("enum", "[A-Z]*"),
    ("http.cookiejar", "Cookie"),
    ("inspect", "_empty _void"),
    ("joblib.numpy_pickle", "NDArrayWrapper NumpyArrayWrapper ZNDArrayWrapper"),
    ("joblib.numpy_pickle_compat", "NDArrayWrapper ZNDArrayWrapper"),
    ("sklearn.externals.joblib.numpy_pickle", "NDArrayWrapper NumpyArrayWrapper ZNDArrayWrapper"),
    ("lightgbm.**", "[A-Z]*"),
    ("lightning.**", "[A-Z]*"),
    ("lightning_fabric.**", "[A-Z]*"),
    ("monai.networks.**", "[A-Z]*"),
    ("monai.transforms.**", "[A-Z]*"),
    ("networkx.classes.**", "[A-Z]*"),
    ("nibabel.**", "[A-Z]*"),
    ("numpy.**", "poly1d Polynomial Chebyshev Hermite HermiteE Laguerre Legendre"),
    ("omegaconf.**", "[A-Z]*"),
    ("pandas", "[A-Z]*"),
    ("pandas.core.**", "[A-Z]*"),
    ("PIL.**", "Image"),
    ("pydicom.**", "[A-Z]*"),
    ("pytorch_lightning.**", "[A-Z]*"),
    ("sb3_contrib.**", "[A-Z]*"),
    ("scipy.**", "[A-Z]* rv_frozen rv_continuous_frozen rv_discrete_frozen *_gen"),
    ("shapely.**", "[A-Z]*"),
    ("sklearn.**", "[A-Z]*"),
    ("stable_baselines3.**", "[A-Z]*"),
    ("statistics", "NormalDist"),
    ("string", "Formatter Template"),
    ("timm.**", "[A-Z]*"),
    ("tokenizers.**", "[A-Z]*"),
    ("torch.ao.nn.**", "[A-Z]*"),
    ("torch.distributions.**", "[A-Z]*"),
    ("torch.nn.**", "[A-Z]*"),
    ("torch.optim.**", "[A-Z]*"),
    ("torchvision.**", "[A-Z]*"),
    ("transformers.**", "[A-Z]*"),
    ("trl.**", "[A-Z]*"),
    ("tarfile", "TarInfo"),
    ("types", "NoneType NotImplementedType EllipsisType"),
    ("ultralytics.**", "[A-Z]*"),
    ("xgboost.**", "[A-Z]*"),
    ("zipfile", "ZipInfo"),
];

/// May be mentioned: nothing comes of it when the file is opened, and little when the value is used.
const MENTIONED: &[Row] = &[
    ("__future__", "absolute_import annotations division generators print_function unicode_literals with_statement"),
    ("_hashlib", "openssl_*"),
    ("_operator", ARITHMETIC),
    ("abc", "ABC ABCMeta"),
    ("base64", "[a-z]*"),
    ("binascii", "[a-z]*"),
    ("bisect", "[a-z]*"),
    (
        "builtins",
        "abs all any ascii bin callable chr complex divmod filter format hash hex id isinstance issubclass map max \
         min next oct ord pow property repr round sorted staticmethod classmethod sum super type",
    ),
    ("cmath", "[a-z]*"),
    ("collections", "namedtuple abc"),
    ("collections.abc", "[A-Z]*"),
    ("copy", "copy deepcopy"),
    ("csv", "excel excel_tab unix_dialect"),
    ("hashlib", "[a-z]*"),
    ("heapq", "[a-z]*"),
    ("html", "escape unescape"),
    ("itertools", "[a-z]*"),
    ("json", "dumps loads"),
    ("math", "[a-z]*"),
    ("ntpath", PATHS),
    ("numbers", "[A-Z]*"),
    ("operator", ARITHMETIC),
    ("os.path", PATHS),
    ("posixpath", PATHS),
    ("random", "[a-z]*"),
    ("re", "[a-z]*"),
    ("statistics", "[a-z]*"),
    ("string", "[a-z]*"),
    ("struct", "[a-z]*"),
    ("textwrap", "[a-z]*"),
    ("time", "[a-z]*"),
    (
        "torch",
        "bfloat16 bool complex* double float* half int* long per_* q* short strided sparse* uint* contiguous_format",
    ),
    ("typing", "[A-Z]*"),
    ("unicodedata", "[a-z]*"),
    ("urllib.parse", "[a-z]*"),
];

const PATHS: &str = "basename commonpath dirname isabs join normcase normpath relpath split splitdrive splitext";

const ARITHMETIC: &str = "abs add and_ concat contains countOf eq floordiv ge gt index indexOf inv invert is_ is_not le \
                          lshift lt matmul mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor";

/// Build functions, classes and modules from program code that stands in the file.
const CODE_BUILDERS: &[Row] = &[
    ("cloudpickle.**", "*"),
    ("dill.**", "*"),
    ("joblib.externals.cloudpickle.**", "*"),
    ("pyspark.cloudpickle.**", "*"),
    ("ray.cloudpickle.**", "*"),
    ("types", "BuiltinFunctionType CellType CodeType FunctionType LambdaType MethodType ModuleType"),
    ("new", "classobj code function instancemethod module"),
];

/// Modules that come with Python 2 or 3, or with practically every installation, by their first part.
const STANDARD: &str = "\
    __builtin__ __future__ _abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _collections \
    _collections_abc _compat_pickle _compression _contextvars _crypt _csv _ctypes _curses _datetime _dbm _decimal \
    _distutils_hack _elementtree _frozen_importlib _frozen_importlib_external _functools _gdbm _hashlib _heapq _imp \
    _interpchannels _interpqueues _interpreters _io _ios_support _json _locale _lsprof _lzma _markupbase _md5 \
    _multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped _pickle _posixshmem _posixsubprocess \
    _py_abc _pydatetime _pydecimal _pyio _pyrepl _queue _random _remote_debugging _scproxy _sha1 _sha2 _sha256 _sha3 \
    _sha512 _signal _sitebuiltins _socket _sqlite3 _sre _ssl _stat _statistics _string _strptime _struct _symtable \
    _sysconfig _testcapi _thread _threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings _weakref \
    _weakrefset _winapi _winreg _wmi _xxsubinterpreters _zoneinfo _zstd abc aifc annotationlib antigravity argparse \
    array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cPickle cProfile \
    cStringIO calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys commands compileall \
    compression concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses \
    datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno exceptions faulthandler \
    fcntl filecmp fileinput fnmatch formatter fractions ftplib functools gc genericpath getopt getpass gettext glob \
    graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress \
    itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap \
    modulefinder msilib msvcrt multiprocessing netrc new nis nntplib nt ntpath nturl2path numbers opcode operator \
    optparse os ossaudiodev parser pathlib pdb pickle pickletools pip pipes pkg_resources pkgutil platform plistlib \
    popen2 poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue \
    quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors setuptools sets shelve \
    shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre sre_compile sre_constants \
    sre_parse ssl stat statistics string stringprep struct subprocess sunau symbol symtable sys sysconfig syslog \
    tabnanny tarfile telnetlib tempfile termios test textwrap this threading time timeit tkinter token tokenize \
    tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib urllib2 \
    user uu uuid venv warnings wave weakref webbrowser wheel winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile \
    zipimport zlib zoneinfo";

const COMMAND: &str = "runs a command of the operating system";
const EVALUATES: &str = "runs Python code that is given as text";
const REACHES: &str = "looks up other functions by their name and so reaches any of them";
const UNPICKLES: &str = "opens another pickle, which runs code in its turn";
const CONNECTS: &str = "contacts a server";
const LISTENS: &str = "opens a port";
const FILES: &str = "reads, writes or deletes files";

/// What well-known names can do. For words only: a name that is missing here is no less forbidden.
const DEEDS: &[(&str, &str, &str, Effect)] = &[
    ("builtins", "eval eval.__call__ exec execfile compile", EVALUATES, Effect::Code),
    ("builtins", "__import__ getattr globals locals vars", REACHES, Effect::Code),
    ("builtins", "setattr delattr", "changes parts of the running program", Effect::Code),
    ("builtins", "apply map filter", "calls any function that it is given", Effect::Code),
    ("builtins", "open file", FILES, Effect::Code),
    ("builtins", "input breakpoint help exit quit", "takes over the program that opens the file", Effect::Code),
    ("os", "system popen* exec* spawn* posix_spawn* startfile fork*", COMMAND, Effect::Code),
    ("posix", "system popen* exec* spawn* posix_spawn* fork*", COMMAND, Effect::Code),
    ("nt", "system popen* exec* spawn* startfile", COMMAND, Effect::Code),
    ("os", "_exit abort kill killpg", "ends programs", Effect::Code),
    ("os", "*", FILES, Effect::Code),
    ("posix", "*", FILES, Effect::Code),
    ("nt", "*", FILES, Effect::Code),
    ("subprocess", "*", COMMAND, Effect::Code),
    ("_posixsubprocess", "*", COMMAND, Effect::Code),
    ("popen2", "*", COMMAND, Effect::Code),
    ("pty", "*", COMMAND, Effect::Code),
    ("pexpect.**", "*", COMMAND, Effect::Code),
    ("multiprocessing.util", "spawnv_passfds", COMMAND, Effect::Code),
    ("asyncio.unix_events", "_UnixSubprocessTransport*", COMMAND, Effect::Code),
    ("asyncio.subprocess", "*", COMMAND, Effect::Code),
    ("pydoc", "pipepager tempfilepager pager", COMMAND, Effect::Code),
    ("_pyrepl.**", "*", COMMAND, Effect::Code),
    ("_osx_support", "*", COMMAND, Effect::Code),
    ("_aix_support", "*", COMMAND, Effect::Code),
    ("uuid", "_get_command_stdout", COMMAND, Effect::Code),
    ("distutils.spawn", "*", COMMAND, Effect::Code),
    ("test.support.script_helper", "*", COMMAND, Effect::Code),
    ("imaplib", "IMAP4_stream", COMMAND, Effect::Code),
    ("torch.utils.collect_env", "*", COMMAND, Effect::Code),
    ("platform", "popen _syscmd_*", COMMAND, Effect::Code),
    ("runpy", "*", EVALUATES, Effect::Code),
    ("code", "*", EVALUATES, Effect::Code),
    ("codeop", "*", EVALUATES, Effect::Code),
    ("timeit", "*", EVALUATES, Effect::Code),
    ("bdb", "*", EVALUATES, Effect::Code),
    ("pdb", "*", EVALUATES, Effect::Code),
    ("trace", "*", EVALUATES, Effect::Code),
    ("profile", "*", EVALUATES, Effect::Code),
    ("cProfile", "*", EVALUATES, Effect::Code),
    ("doctest", "*", EVALUATES, Effect::Code),
    ("idlelib.**", "*", EVALUATES, Effect::Code),
    ("lib2to3.**", "*", EVALUATES, Effect::Code),
    ("numpy.f2py.**", "*", EVALUATES, Effect::Code),
    ("numpy.testing.**", "runstring rundocs", EVALUATES, Effect::Code),
    ("torch.utils.bottleneck.**", "*", EVALUATES, Effect::Code),
    ("torch.jit.unsupported_tensor_ops", "execWrapper", EVALUATES, Effect::Code),
    ("torch.fx.**", "*", EVALUATES, Effect::Code),
    ("torch._dynamo.**", "*", EVALUATES, Effect::Code),
    ("torch._inductor.**", "*", EVALUATES, Effect::Code),
    ("pandas", "eval", EVALUATES, Effect::Code),
    ("importlib.**", "*", REACHES, Effect::Code),
    ("imp", "*", REACHES, Effect::Code),
    ("pkgutil", "*", REACHES, Effect::Code),
    ("pydoc", "locate resolve safeimport", REACHES, Effect::Code),
    ("operator", "attrgetter methodcaller itemgetter getitem", REACHES, Effect::Code),
    ("_operator", "attrgetter methodcaller itemgetter getitem", REACHES, Effect::Code),
    ("numpy.core.**", "_ufunc_reconstruct", REACHES, Effect::Code),
    ("numpy._core.**", "_ufunc_reconstruct", REACHES, Effect::Code),
    ("functools", "partial reduce partialmethod", "calls any function that it is given", Effect::Code),
    ("itertools", "starmap accumulate", "calls any function that it is given", Effect::Code),
    ("pickle", "*", UNPICKLES, Effect::Code),
    ("_pickle", "*", UNPICKLES, Effect::Code),
    ("shelve", "*", UNPICKLES, Effect::Code),
    ("dill.**", "load loads", UNPICKLES, Effect::Code),
    ("cloudpickle.**", "load loads", UNPICKLES, Effect::Code),
    ("joblib.**", "load", UNPICKLES, Effect::Code),
    ("torch.**", "load _load _legacy_load _load_from_bytes", UNPICKLES, Effect::Code),
    ("numpy.**", "load", UNPICKLES, Effect::Code),
    ("pandas.**", "read_pickle", UNPICKLES, Effect::Code),
    ("yaml.**", "load unsafe_load full_load", UNPICKLES, Effect::Code),
    ("marshal", "*", "loads compiled Python code", Effect::Code),
    ("types", "CodeType FunctionType LambdaType", "makes a function from compiled code", Effect::Code),
    ("ctypes.**", "*", "loads and calls machine code", Effect::Code),
    ("_ctypes", "*", "loads and calls machine code", Effect::Code),
    ("cffi.**", "*", "loads and calls machine code", Effect::Code),
    ("pip.**", "*", "installs software", Effect::Code),
    ("ensurepip.**", "*", "installs software", Effect::Code),
    ("venv.**", "*", "installs software", Effect::Code),
    ("setuptools.**", "*", "installs software", Effect::Code),
    ("torch.hub", "*", "downloads code and runs it", Effect::Code),
    ("threading", "*", "starts other code beside the program", Effect::Code),
    ("_thread", "*", "starts other code beside the program", Effect::Code),
    ("multiprocessing.**", "*", "starts other code beside the program", Effect::Code),
    ("_interpreters", "*", "starts other code beside the program", Effect::Code),
    ("_xxsubinterpreters", "*", "starts other code beside the program", Effect::Code),
    ("sys", "*", "changes or ends the program that opens the file", Effect::Code),
    ("gc", "*", REACHES, Effect::Code),
    ("webbrowser", "*", "opens a web page", Effect::Connects),
    ("socket", "create_server", LISTENS, Effect::Listens),
    ("socketserver", "*", LISTENS, Effect::Listens),
    ("http.server", "*", LISTENS, Effect::Listens),
    ("xmlrpc.server", "*", LISTENS, Effect::Listens),
    ("wsgiref.**", "*", LISTENS, Effect::Listens),
    ("asyncio", "start_server start_unix_server", LISTENS, Effect::Listens),
    ("socket", "*", CONNECTS, Effect::Connects),
    ("_socket", "*", CONNECTS, Effect::Connects),
    ("ssl", "*", CONNECTS, Effect::Connects),
    ("http.client", "*", CONNECTS, Effect::Connects),
    ("urllib", "*", CONNECTS, Effect::Connects),
    ("urllib.request", "*", CONNECTS, Effect::Connects),
    ("urllib3.**", "*", CONNECTS, Effect::Connects),
    ("requests.**", "*", CONNECTS, Effect::Connects),
    ("httpx.**", "*", CONNECTS, Effect::Connects),
    ("aiohttp.**", "*", CONNECTS, Effect::Connects),
    ("paramiko.**", "*", CONNECTS, Effect::Connects),
    ("smtplib", "*", CONNECTS, Effect::Connects),
    ("ftplib", "*", CONNECTS, Effect::Connects),
    ("poplib", "*", CONNECTS, Effect::Connects),
    ("imaplib", "*", CONNECTS, Effect::Connects),
    ("nntplib", "*", CONNECTS, Effect::Connects),
    ("telnetlib", "*", CONNECTS, Effect::Connects),
    ("xmlrpc.client", "*", CONNECTS, Effect::Connects),
    ("io", "open open_code FileIO", FILES, Effect::Code),
    ("_io", "open open_code FileIO", FILES, Effect::Code),
    ("_pyio", "*", FILES, Effect::Code),
    ("codecs", "open", FILES, Effect::Code),
    ("shutil", "*", FILES, Effect::Code),
    ("tempfile", "*", FILES, Effect::Code),
    ("fileinput", "*", FILES, Effect::Code),
    ("linecache", "*", FILES, Effect::Code),
    ("logging", "FileHandler", FILES, Effect::Code),
    ("logging.**", "*Handler", FILES, Effect::Code),
    ("distutils.**", "*", FILES, Effect::Code),
    ("glob", "*", FILES, Effect::Code),
    ("zipfile", "*", FILES, Effect::Code),
    ("tarfile", "*", FILES, Effect::Code),
    ("sqlite3", "*", FILES, Effect::Code),
    ("zlib", "decompress", "unpacks data that may be far larger than the file", Effect::Code),
];

/// Modules that Python 2 called otherwise, after `_compat_pickle.IMPORT_MAPPING`.
const RENAMED_MODULES: &[(&str, &str)] = &[
    ("__builtin__", "builtins"),
    ("BaseHTTPServer", "http.server"),
    ("CGIHTTPServer", "http.server"),
    ("ConfigParser", "configparser"),
    ("Cookie", "http.cookies"),
    ("DocXMLRPCServer", "xmlrpc.server"),
    ("HTMLParser", "html.parser"),
    ("Queue", "queue"),
    ("SimpleHTTPServer", "http.server"),
    ("SimpleXMLRPCServer", "xmlrpc.server"),
    ("SocketServer", "socketserver"),
    ("StringIO", "io"),
    ("Tkinter", "tkinter"),
    ("UserDict", "collections"),
    ("UserList", "collections"),
    ("UserString", "collections"),
    ("_abcoll", "collections.abc"),
    ("_elementtree", "xml.etree.ElementTree"),
    ("_winreg", "winreg"),
    ("anydbm", "dbm"),
    ("cPickle", "pickle"),
    ("cStringIO", "io"),
    ("commands", "subprocess"),
    ("cookielib", "http.cookiejar"),
    ("copy_reg", "copyreg"),
    ("exceptions", "builtins"),
    ("httplib", "http.client"),
    ("markupbase", "_markupbase"),
    ("repr", "reprlib"),
    ("robotparser", "urllib.robotparser"),
    ("test.test_support", "test.support"),
    ("thread", "_thread"),
    ("urllib2", "urllib.request"),
    ("urlparse", "urllib.parse"),
    ("xmlrpclib", "xmlrpc.client"),
];

/// Names that moved on their own, after `_compat_pickle.NAME_MAPPING`.
const RENAMED: &[(&str, &str, &str, &str)] = &[
    ("__builtin__", "basestring", "builtins", "str"),
    ("__builtin__", "intern", "sys", "intern"),
    ("__builtin__", "long", "builtins", "int"),
    ("__builtin__", "reduce", "functools", "reduce"),
    ("__builtin__", "unichr", "builtins", "chr"),
    ("__builtin__", "unicode", "builtins", "str"),
    ("__builtin__", "xrange", "builtins", "range"),
    ("UserDict", "IterableUserDict", "collections", "UserDict"),
    ("exceptions", "StandardError", "builtins", "Exception"),
    ("itertools", "ifilter", "builtins", "filter"),
    ("itertools", "ifilterfalse", "itertools", "filterfalse"),
    ("itertools", "imap", "builtins", "map"),
    ("itertools", "izip", "builtins", "zip"),
    ("itertools", "izip_longest", "itertools", "zip_longest"),
    ("urllib", "quote", "urllib.parse", "quote"),
    ("urllib", "quote_plus", "urllib.parse", "quote_plus"),
    ("urllib", "unquote", "urllib.parse", "unquote"),
    ("urllib", "urlencode", "urllib.parse", "urlencode"),
    ("urllib", "urlopen", "urllib.request", "urlopen"),
    ("urllib", "urlretrieve", "urllib.request", "urlretrieve"),
    ("urllib2", "HTTPError", "urllib.error", "HTTPError"),
    ("urllib2", "URLError", "urllib.error", "URLError"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(module: &str, name: &str) -> Standing {
        PythonName::new(module, name).standing()
    }

    #[test]
    fn builders_of_values_may_be_called_and_classes_only_instantiated() {
        assert_eq!(standing("numpy._core.multiarray", "_reconstruct"), Standing::Called);
        assert_eq!(standing("__builtin__", "bytearray"), Standing::Called);
        assert_eq!(standing("exceptions", "ValueError"), Standing::Called);
        assert_eq!(standing("somewhere.deep._tree", "__pyx_unpickle_Tree"), Standing::Called);
        assert_eq!(standing("sklearn.svm._classes", "SVC"), Standing::Instantiated);
        assert_eq!(standing("pandas", "ExcelFile"), Standing::Instantiated);
        assert_eq!(standing("math", "sqrt"), Standing::Mentioned);
        assert_eq!(standing("builtins", "len"), Standing::Called);
    }

    #[test]
    fn what_reaches_other_names_is_on_no_list() {
        for (module, name) in [
            ("builtins", "getattr"),
            ("builtins", "eval"),
            ("__builtin__", "reduce"),
            ("operator", "attrgetter"),
            ("functools", "partial"),
            ("importlib", "import_module"),
            ("os", "system"),
            ("posix", "system"),
            ("pkgutil", "resolve_name"),
            ("numpy", "load"),
            ("torch", "load"),
            ("numpy.core", "_ufunc_reconstruct"),
            ("commands", "getoutput"),
        ] {
            let name = PythonName::new(module, name);
            assert_eq!(name.standing(), Standing::Unlisted, "{name}");
            assert!(name.deed().is_some(), "{name}");
        }
    }

    #[test]
    fn dots_and_hooks_are_never_hidden_behind_a_pattern() {
        assert_eq!(standing("sklearn.utils", "Bunch.os.system"), Standing::Unlisted);
        assert_eq!(standing("numpy", "float64.__class__"), Standing::Unlisted);
        assert_eq!(standing("numpy", "__builtins__"), Standing::Unlisted);
        assert_eq!(standing("__future__", "_ssl.RAND_bytes"), Standing::Unlisted);
        assert_eq!(standing("zoneinfo", "ZoneInfo._unpickle"), Standing::Called);
        assert!(!PythonName::new("numpy.__builtins__", "x").is_plain());
        assert!(PythonName::new("__main__", "Model").is_plain());
    }

    #[test]
    fn a_module_is_at_home_somewhere() {
        assert_eq!(PythonName::new("os.path", "join").home(), Home::Standard);
        assert_eq!(PythonName::new("__main__", "Net").home(), Home::Main);
        assert_eq!(PythonName::new("sklearn.svm", "SVC").home(), Home::Installed);
        assert_eq!(PythonName::new("osmnx", "x").home(), Home::Installed);
    }

    #[test]
    fn a_pattern_stays_inside_its_package() {
        assert_eq!(standing("sklearn_evil.svm", "SVC"), Standing::Unlisted);
        assert_eq!(standing("sklearn", "SVC"), Standing::Instantiated);
        assert_eq!(standing("math", "os.system"), Standing::Unlisted);
    }
}
