// The worker: one task at a time, each in a WebAssembly instance of its own.
//
// It is started from a blob, so that the page's Content-Security-Policy binds it too (a worker that is loaded by its
// address is not bound by a policy in a <meta> element). The core runs here to its end without a pause: whoever wants
// to stop it terminates the whole worker. An instance that trapped is poisoned, and WebAssembly memory never shrinks,
// so no instance is used for a second task.

import { instance } from "just-data:core";

/** @typedef {import("./contract").Answer} Answer */
/** @typedef {import("./contract").Task} Task */

/** The least time between two reports of progress, in milliseconds. */
const BETWEEN_PULSES = 80;

/** @type {WebAssembly.Module | undefined} */
let module;

self.addEventListener("message", ({ data }) => {
  if (data.kind === "start") {
    module = data.module;
    say({ kind: "ready" });
  } else {
    answer(data.run, data.task);
  }
});

/**
 * @param {number} run
 * @param {Task} task
 */
function answer(run, task) {
  try {
    const core = instance();
    const { memory } = core.initSync({ module: /** @type {WebAssembly.Module} */ (module) });
    const result = perform(core, task, pulseOf(run));
    say({ kind: "done", run, result, memory: memory.buffer.byteLength });
  } catch (error) {
    say({ kind: "failed", run, message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

/**
 * @param {import("./contract").Core} core
 * @param {Task} task
 * @param {import("./contract").Pulse} pulse
 */
function perform(core, task, pulse) {
  switch (task.kind) {
    case "check":
      return core.check(task.name, task.blob, pulse, task.limits);
    case "sweep":
      return core.sweep(task.blob, task.report, task.index, pulse, task.limits);
    case "join":
      return task.parts.reduce(
        (/** @type {import("./contract").FileReport} */ report, part, index) => core.join(report, index, part),
        task.report,
      );
    case "relate":
      return core.relate(task.paths, task.files);
    case "unread":
      return core.unread(task.path, task.size, task.why, task.message);
    case "peek":
      return core.peek(task.name, task.blob, task.way, task.offset, task.len);
    case "regions":
      return core.regions(task.name, task.blob, task.way, task.from, task.to, task.most);
    case "variety":
      return core.variety(task.name, task.blob, task.way, task.from, task.to, task.columns, task.sample);
    case "write":
      return core.write(task.files, task.format);
    case "sha256":
    case "sha512":
      return core[task.kind](task.blob, pulse);
    case "reference":
      return { version: core.version(), rules: core.rules(), formats: core.formats() };
  }
}

/**
 * @param {number} run
 * @returns {import("./contract").Pulse}
 */
function pulseOf(run) {
  let last = performance.now();
  return (done, total) => {
    const now = performance.now();
    if (now - last >= BETWEEN_PULSES) {
      last = now;
      say({ kind: "pulse", run, done, total });
    }
    return true;
  };
}

/** @param {Answer} message */
function say(message) {
  self.postMessage(message);
}

// The page shows how many requests were made since it was loaded; those of a worker are only seen from inside it.
new PerformanceObserver((list) => {
  for (const { name } of list.getEntries()) {
    if (!/^(blob|data):/.test(name)) say({ kind: "request", name });
  }
}).observe({ type: "resource" });
self.addEventListener("securitypolicyviolation", (event) => {
  say({ kind: "blocked", name: /** @type {SecurityPolicyViolationEvent} */ (event).blockedURI });
});
