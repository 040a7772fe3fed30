// The page with another core: one that traps, spins or takes its time, by the name of the file.
//
// The page itself is the shipped one, bundled by the same bundler; only the core is not. So nothing for tests is in the
// shipped build.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT, XTASK } from "./surroundings.mjs";

/** (module (memory (export "memory") 1) (func (export "trap") unreachable)) */
const MODULE = Buffer.from(
  "0061736d01000000" + "010401600000" + "03020100" + "0503010001" + "071102" + "066d656d6f7279" + "0200" + "0474726170" + "0000" + "0a05010300000b",
  "hex",
);

const GLUE = `
let wasm;
export function initSync({ module }) {
  wasm = new WebAssembly.Instance(module).exports;
  return wasm;
}
export function check(name, blob, pulse) {
  pulse(0, blob.size);
  if (name.includes("trap")) wasm.trap();
  const start = performance.now();
  const least = name.includes("spin") ? Infinity : name.includes("slow") ? 1500 : 0;
  while (performance.now() - start < least) pulse(Math.min((performance.now() - start) / 1500, 1) * blob.size, blob.size);
  const size = blob.size;
  return file(name, size, name.includes("ranges") ? "unfinished" : "just-data", [],
    name.includes("ranges") ? [0, 1, 2].map((index) => ({ layer: 0, offset: index, len: 1, kind: "opaque", done: false })) : undefined);
}
export function sweep(blob, report, index, pulse) {
  pulse(0, 1);
  if (report.path.includes("second") && index === 1) wasm.trap();
  while (report.path.includes("endless")) pulse(0, 1);
  return { swept: index };
}
export function join(report, index, part) {
  if (part.swept !== index) throw new Error("the parts came in another order");
  const joined = [...(report.joined ?? []), index];
  return { ...report, joined, pending: joined.length === 3 ? [] : report.pending, verdict: joined.length === 3 ? "just-data" : "unfinished" };
}
export function unread(path, size, kind, message) {
  return file(path, size, "unfinished", [{ kind, at: null, message }]);
}
export function write(files, format) {
  return JSON.stringify({ format, files });
}
export const relate = (paths, files) => files;
export const peek = () => new Uint8Array(16);
export const regions = (name, blob, way, from, to) => [[from, to, "structure", "sample"]];
export const variety = (name, blob, way, from, to, columns) => new Float64Array(columns);
export function sha256(blob, pulse) {
  while (blob.size > 1000) pulse(1, 2);
  return "00".repeat(32);
}
export const sha512 = () => "00".repeat(64);
export const rules = () => [];
export const formats = () => [];
export const version = () => "0.0.0-faulty";
function file(path, size, verdict, stops, pending) {
  const unexplained = stops.length ? size : 0;
  const coverage = { structure: size - unexplained, nested: 0, opaque: 0, slack: 0, unexplained };
  const map = size ? [[0, size, unexplained ? "unexplained" : "structure", "sample"]] : [];
  return { path, size, verdict, findings: [], pending, layers: [{ id: 0, parent: null, name: path, offset: null, len: size, formats: [], coverage, stops, map }] };
}
`;

/** Builds it. `site` is the folder to serve. */
export async function pageWithFaultyCore() {
  const folder = await mkdtemp(join(tmpdir(), "just-data-faulty-"));
  const core = join(folder, "core");
  await mkdir(core);
  await writeFile(join(core, "just_data.js"), GLUE);
  await writeFile(join(core, "just_data_bg.wasm"), MODULE);
  await promisify(execFile)(XTASK, ["pack", join(core, "just_data_bg.wasm")]);
  await promisify(execFile)("node", [join(ROOT, "www/bundle.mjs"), "--core", core, "--out", join(folder, "dist")]);
  return { site: join(folder, "dist", "site"), remove: () => rm(folder, { recursive: true, force: true }) };
}
