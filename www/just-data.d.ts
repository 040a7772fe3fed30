// The types of the package: the element, and what it tells.

import type { FileReport, Problem, Reference, Verdict } from "./types/contract.js";
import type { JustData } from "./types/element.js";

export { JustData } from "./types/element.js";
export type { FileReport, Finding, Format, Guideline, Layer, Owner, Problem, Reference, Rule, Runs, Severity, Stop, Verdict } from "./types/contract.js";

export interface JustDataEvents {
  "just-data-before-check": CustomEvent<{ name: string; size: number }>;
  "just-data-progress": CustomEvent<{ done: number; total: number; files: number; open: number }>;
  "just-data-result": CustomEvent<FileReport>;
  "just-data-done": CustomEvent<{ files: number; verdicts: Record<Verdict, number> }>;
  "just-data-error": CustomEvent<{ message: string }>;
  "just-data-ready": CustomEvent<Reference>;
  "just-data-problem": CustomEvent<Problem>;
  "just-data-forget": CustomEvent<null>;
  "just-data-request": CustomEvent<string>;
  "just-data-blocked": CustomEvent<string>;
}

declare global {
  interface HTMLElementTagNameMap {
    "just-data": JustData;
  }
  // They bubble, so that any element may hear them.
  interface GlobalEventHandlersEventMap extends JustDataEvents {}
}
