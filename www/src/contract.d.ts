// What the Rust core and the page say to each other. Offsets and lengths are bytes, always below 2^53.

/** Worst first: not just data, look twice, not fully checked, just data. */
export type Verdict = "code" | "caution" | "unfinished" | "just-data";
export type Guideline = "code" | "reporting" | "listening";
export type Runs = "on-open" | "on-use" | "never";
export type Severity = "danger" | "warning" | "note";
/** Who owns a byte. */
export type Owner = "structure" | "nested" | "opaque" | "slack" | "unexplained";
export type StopKind =
  | "malformed" | "exhausted" | "unsupported" | "encrypted" | "unknown-format" | "source" | "cancelled";

/** Why a reader ended early, and where. */
export interface Stop {
  kind: StopKind;
  at: number | null;
  message: string;
  /** The reason in the words of the page, where the page gives it. */
  words?: Words[];
}
/** A text of the catalogues. */
export interface Words { key: string; values?: Record<string, string | number> }

/** One body of bytes: the file itself, or something found inside it. */
export interface Layer {
  id: number;
  parent: number | null;
  name: string;
  /** Place in the parent, where it has one. */
  offset: number | null;
  /** Whether the bytes lie in the parent as they are, from `offset` on: not decoded, not gathered. */
  in_place?: boolean;
  len: number;
  formats: string[];
  coverage: Record<Owner, number>;
  stops: Stop[];
  /** Who owns which bytes: start, end (exclusive), owner, what it is. */
  map?: MapRow[];
}
export type MapRow = [start: number, end: number, owner: Owner, what: string];

export interface Finding {
  rule: string;
  guideline: Guideline;
  runs: Runs;
  severity: Severity;
  layer: number;
  offset: number;
  length: number;
  place: string;
  message: string;
  /** base64 of at most 48 bytes, from `offset` on. */
  excerpt: string;
  /** What stands there as a person would read it, line by line. Text from the file. */
  evidence?: string;
}

/** A file that another one names; `found` and `missing` only once it was looked for. */
export interface Companion {
  layer: number;
  offset: number;
  length: number;
  name: string;
  holds: "file" | "values" | "chunks";
  values?: number;
  found?: string;
  missing?: boolean;
}

/** A large range of bytes that no search has gone through yet. */
export interface Pending { layer: number; offset: number; len: number; kind: Owner; done: boolean }

/** What one file may cost; see src/budget.rs. */
export interface Limits { work: number; inflated: number; depth: number; layers: number; findings: number }

/** The result for one file. */
export interface FileReport {
  path: string;
  size: number;
  verdict: Verdict;
  layers: Layer[];
  findings: Finding[];
  pending?: Pending[];
  /** Other files that a program opens along with this one. */
  companions?: Companion[];
  /** The series of images that this file is a part of: an identifier that all parts share. */
  series?: string;
  /** The path of the header that says what this file holds. */
  part_of?: string;
  /** In hexadecimal, once somebody asked for it. */
  sha256?: string;
}

/** A step of the way from the file to a layer: the layer inside that comes next, and how many before it look the same. */
export interface Step { name: string; offset: number | null; len: number; in_place: boolean; nth: number }

export interface Rule {
  id: string;
  title: string;
  why: string;
  advice: string;
  guideline: Guideline;
  runs: Runs;
  severity: Severity;
  see: string[];
}
export interface Format { id: string; name: string; spec: string; extensions: string[]; media_types: string[] }

/** Everything the core says about itself. */
export interface Reference { version: string; rules: Rule[]; formats: Format[] }

export type ReportFormat = "csv" | "json" | "jsonl" | "sarif" | "html" | "text";
/** Why a file has no reading: it could not be read, the user stopped it, or the checker itself gave up. */
export type UnreadKind = "source" | "cancelled" | "exhausted";
/** Units of work done, of how many; false cancels. */
export type Pulse = (done: number, total: number) => boolean;
/** What a search of one pending range brought back; only the core looks inside. */
export type Part = unknown;

/** The exports of one WebAssembly instance. */
export interface Core {
  initSync(input: { module: WebAssembly.Module }): { memory: WebAssembly.Memory };
  check(name: string, blob: Blob, pulse: Pulse, limits: Partial<Limits>): FileReport;
  sweep(blob: Blob, report: FileReport, index: number, pulse: Pulse, limits: Partial<Limits>): Part;
  join(report: FileReport, index: number, part: Part): FileReport;
  relate(paths: string[], files: FileReport[]): FileReport[];
  unread(path: string, size: number, kind: UnreadKind, message: string): FileReport;
  write(files: FileReport[], format: ReportFormat): string;
  peek(name: string, blob: Blob, way: Step[], offset: number, len: number): Uint8Array;
  regions(name: string, blob: Blob, way: Step[], from: number, to: number, most: number): MapRow[];
  variety(name: string, blob: Blob, way: Step[], from: number, to: number, columns: number, sample: number): Float64Array;
  sha256(blob: Blob, pulse: Pulse): string;
  sha512(blob: Blob, pulse: Pulse): string;
  rules(): Rule[];
  formats(): Format[];
  version(): string;
}

/** A closer look at one layer. */
export type Look = { name: string; blob: Blob; way: Step[] } & (
  | { kind: "peek"; offset: number; len: number }
  | { kind: "regions"; from: number; to: number; most: number }
  | { kind: "variety"; from: number; to: number; columns: number; sample: number }
);

/** A task for a worker. `run` numbers it; every answer carries the same number. */
export type Task =
  | { kind: "check"; name: string; blob: Blob; limits: Partial<Limits> }
  | { kind: "sweep"; blob: Blob; report: FileReport; index: number; limits: Partial<Limits> }
  | { kind: "join"; report: FileReport; parts: Part[] }
  | { kind: "relate"; paths: string[]; files: FileReport[] }
  | { kind: "unread"; path: string; size: number; why: UnreadKind; message: string }
  | Look
  | { kind: "write"; files: FileReport[]; format: ReportFormat }
  | { kind: "sha256" | "sha512"; blob: Blob }
  | { kind: "reference" };

/** What a worker says. */
export type Answer =
  | { kind: "ready" }
  | { kind: "pulse"; run: number; done: number; total: number }
  | { kind: "done"; run: number; result: any; memory: number }
  | { kind: "failed"; run: number; message: string }
  | { kind: "request"; name: string }
  | { kind: "blocked"; name: string };

/** One text by language. */
export type Texts = Record<string, string>;
/** The published policy, as policy.schema.json describes it. */
export interface Policy {
  name: string;
  languages: string[];
  guidelines: { id: Guideline; title: Texts; says: Texts }[];
  reporting: { email: string; languages: string[]; hours: number };
  checker: { repository: string | null; email: string | null };
}
/** What a person wants to report; the event just-data-problem carries it. */
export interface Problem {
  kind?: string;
  guideline?: Guideline;
  rule?: string;
  place?: string;
  offset?: number;
  sha256?: string;
  /** Of the checker. */
  version?: string;
}
