// The files that were given, in their order, and the way of each from waiting to its result.
//
// A check has two stages. The core first reads the structure and answers at once; byte ranges that are too large to be
// searched in that moment come back as `pending`. They are then searched in ranges, by several workers at the same time,
// and joined. Until then the verdict is provisional and never "just data".

import { Cancelled, Crew, URGENCY } from "./crew.js";
import { reported } from "./language.js";
import { settings } from "./settings.js";

/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").ReportFormat} ReportFormat */
/** @typedef {import("./contract").UnreadKind} UnreadKind */
/** @typedef {import("./contract").Words} Words */
/** @typedef {import("./intake.js").Item} Item */

/** What one file costs beside its bytes, in bytes, so that a thousand small files do not count as nothing. */
const PER_FILE = 64 * 1024;

/** One file and where its check stands. */
export class Job {
  /** @type {"waiting" | "reading" | "searching" | "done"} */
  state = "waiting";
  /** @type {FileReport | null} the result; provisional while `state` is "searching" */
  report = null;
  /** @type {File | null} */
  file = null;
  size = 0;
  /** Bytes of work done, of `total`. */
  done = 0;
  total = 0;
  /** The largest WebAssembly memory that an instance took for this file, in bytes. */
  memory = 0;
  /** When it last gave a sign of life (milliseconds, as performance.now). */
  heard = 0;
  /** When it started and ended. */
  started = 0;
  ended = 0;
  /** Grows with each new check of the same file; an answer to an older one is dropped. */
  round = 0;

  /**
   * @param {number} id
   * @param {Item} item
   */
  constructor(id, item) {
    this.id = id;
    this.name = item.name;
    this.take(item.file ?? null, item.size);
    this.failure = item.failure;
    this.refused = item.refused;
    this.renew = item.renew;
  }

  /**
   * @param {File | null} file as it is now
   * @param {number} [size] of it, where that is known
   */
  take(file, size = file?.size ?? 0) {
    this.file = file;
    this.size = size;
  }

  /** @returns {number} between 0 and 1 */
  get progress() {
    if (this.state === "done") return 1;
    return this.total > 0 ? Math.min(this.done / this.total, 1) : 0;
  }

  /** @returns {number} its part of the whole queue's work, in bytes */
  get weight() {
    return this.size + PER_FILE;
  }
}

/**
 * Events: `change` (detail: the job), `quiet` when the last job is done, `request` and `blocked` as of the crew.
 */
export class Queue extends EventTarget {
  /** @type {Job[]} */
  jobs = [];
  #crew = new Crew();
  #ids = 0;
  #open = 0;
  /** What stops the hashes that are computed. @type {Set<AbortSignal>} */
  #hashing = new Set();

  constructor() {
    super();
    for (const name of ["request", "blocked"]) {
      this.#crew.addEventListener(name, (event) =>
        this.dispatchEvent(new CustomEvent(name, { detail: /** @type {CustomEvent} */ (event).detail })),
      );
    }
  }

  /** @returns {number} jobs that are not done */
  get open() {
    return this.#open;
  }

  /** Bytes of work that are done, of how many; files, and those that are not done. */
  get progress() {
    const total = sum(this.jobs.map(({ weight }) => weight));
    return { done: sum(this.jobs.map(({ weight, progress }) => weight * progress)), total, files: this.jobs.length, open: this.#open };
  }

  /**
   * @param {Item} item
   * @returns {Job}
   */
  add(item) {
    const job = new Job(++this.#ids, item);
    this.jobs.push(job);
    this.#start(job);
    return job;
  }

  /** @param {Job} job */
  cancel(job) {
    this.#crew.cancel(new Set([job]));
  }

  cancelAll() {
    this.#crew.cancel(new Set(this.jobs));
  }

  clear() {
    for (const job of this.jobs) job.round += 1;
    this.#crew.cancel(new Set([...this.jobs, ...this.#hashing]));
    this.jobs = [];
    this.#open = 0;
    this.#crew.paused = false;
  }

  get paused() {
    return this.#crew.paused;
  }

  /** What is at work when it is paused begins anew afterwards; what was found until then stays in sight. */
  set paused(paused) {
    this.#crew.paused = paused;
  }

  /** Ends the workers; they start again when they are needed. What was not done is cancelled. */
  rest() {
    this.#crew.close();
  }

  /**
   * Checks a file once more, as it is now.
   * @param {Job} job
   */
  again(job) {
    if (job.state === "done") this.#start(job);
  }

  /**
   * @param {FileReport[]} files
   * @param {ReportFormat} format
   * @returns {Promise<string>}
   */
  write(files, format) {
    return this.#crew.run({ kind: "write", files, format }, { urgency: URGENCY.desk });
  }

  /**
   * A closer look at a layer of this file.
   * @param {Job} job
   * @param {import("./contract").Look} task
   * @returns {Promise<any>}
   */
  look(job, task) {
    return this.#crew.run(task, { urgency: URGENCY.desk, owner: job });
  }

  /**
   * The SHA-256 of a file, which its report keeps. Rejects with Cancelled when it is stopped.
   * @param {Job} job
   * @param {AbortSignal} signal stops it
   * @param {(done: number, total: number) => void} pulse
   * @returns {Promise<string>}
   */
  async hash(job, signal, pulse) {
    const { file, report, round } = job;
    if (!file || !report) throw new Error("there is no file");
    const stop = () => this.#crew.cancel(new Set([signal]));
    this.#hashing.add(signal);
    signal.addEventListener("abort", stop);
    try {
      const sha256 = await this.#crew.run({ kind: "sha256", blob: file }, { urgency: URGENCY.sweep, owner: signal, pulse });
      if (job.report && job.round === round) job.report.sha256 = sha256;
      return sha256;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#hashing.delete(signal);
    }
  }

  /** @returns {Promise<import("./contract").Reference>} rules and formats of the core */
  reference() {
    return this.#crew.run({ kind: "reference" }, { urgency: URGENCY.desk });
  }

  /** @param {Job} job */
  async #start(job) {
    const round = ++job.round;
    Object.assign(job, { state: "waiting", report: null, done: 0, total: 0, memory: 0, started: 0, ended: 0 });
    this.#open += 1;
    this.#changed(job);
    const report = await this.#result(job, round);
    if (job.round !== round) return;
    Object.assign(job, { state: "done", report, ended: performance.now() });
    this.#open -= 1;
    this.#changed(job);
    if (this.#open) return;
    this.#crew.paused = false;
    await this.#relate();
    if (!this.#open) this.dispatchEvent(new Event("quiet"));
  }

  /** What one file says of another is known when all are read: a header explains its values, a scene finds its parts. */
  async #relate() {
    const related = this.jobs.filter(({ report }) => report && concernsOthers(report));
    if (!related.length) return;
    const files = related.map(({ report }) => /** @type {FileReport} */ (report));
    try {
      const paths = this.jobs.map(({ name }) => name);
      const reports = await this.#crew.run({ kind: "relate", paths, files }, { urgency: URGENCY.desk });
      related.forEach((job, index) => {
        // Somebody may have started it again meanwhile.
        if (job.report !== files[index]) return;
        job.report = reports[index];
        this.#changed(job);
      });
    } catch {
      // Each file keeps what was said of it alone.
    }
  }

  /**
   * @param {Job} job
   * @param {number} round
   * @returns {Promise<FileReport>}
   */
  async #result(job, round) {
    if (round > 1 && job.renew) {
      try {
        job.take(await job.renew());
        job.failure = undefined;
      } catch {
        job.failure = { key: "list.failure.renewed" };
      }
    }
    if (!job.file) return this.#unread(job, "source", job.failure ?? { key: "list.failure.none" });
    if (job.refused) return this.#unread(job, "exhausted", job.refused);
    try {
      return await this.#check(job, job.file, round);
    } catch (error) {
      if (job.round !== round) return plainly(job, ...ended(new Cancelled()));
      const [kind, why] = ended(error);
      return job.report ? cutShort(job.report, kind, why) : this.#unread(job, kind, why);
    }
  }

  /**
   * @param {Job} job
   * @param {File} file
   * @param {number} round
   * @returns {Promise<FileReport>}
   */
  async #check(job, file, round) {
    const weighed = (/** @type {number} */ memory) => {
      job.memory = Math.max(job.memory, memory);
    };
    const current = () => job.round === round && job.state !== "done";
    // All of a check is done with the limits that it began with.
    const { limits } = settings.choices;
    const report = await this.#crew.run(
      { kind: "check", name: job.name, blob: file, limits },
      {
        urgency: URGENCY.check,
        owner: job,
        weighed,
        interrupted: () => {
          Object.assign(job, { state: "waiting", done: 0 });
          this.#changed(job);
        },
        pulse: (done, total) => {
          if (!current()) return;
          job.state = "reading";
          job.started ||= performance.now();
          Object.assign(job, { done, total, heard: performance.now() });
          this.#changed(job);
        },
      },
    );
    const pending = report.pending ?? [];
    if (!pending.length || !current()) return report;

    const whole = pending.reduce((/** @type {number} */ sum, /** @type {{ len: number }} */ range) => sum + range.len, 0);
    const searched = pending.map(() => 0);
    Object.assign(job, { state: "searching", report, total: whole, done: 0, heard: performance.now() });
    job.started ||= performance.now();
    this.#changed(job);
    const parts = await Promise.all(
      pending.map((/** @type {{ len: number }} */ range, /** @type {number} */ index) =>
        this.#crew
          .run(
            { kind: "sweep", blob: file, report, index, limits },
            {
              urgency: URGENCY.sweep,
              owner: job,
              weighed,
              interrupted: () => {
                searched[index] = 0;
                job.done = sum(searched);
                this.#changed(job);
              },
              pulse: (done, total) => {
                if (!current()) return;
                searched[index] = total > 0 ? (range.len * Math.min(done, total)) / total : 0;
                Object.assign(job, { done: sum(searched), heard: performance.now() });
                this.#changed(job);
              },
            },
          )
          .then((part) => {
            searched[index] = range.len;
            job.done = sum(searched);
            if (current()) this.#changed(job);
            return part;
          }),
      ),
    ).catch((error) => {
      this.#crew.cancel(new Set([job]));
      throw error;
    });
    return this.#crew.run({ kind: "join", report, parts }, { urgency: URGENCY.desk, owner: job });
  }

  /**
   * @param {Job} job
   * @param {UnreadKind} kind
   * @param {Words} why
   * @returns {Promise<FileReport>}
   */
  async #unread(job, kind, why) {
    const words = [why];
    const message = reported(words);
    try {
      const report = await this.#crew.run(
        { kind: "unread", path: job.name, size: job.size, why: kind, message },
        { urgency: URGENCY.desk },
      );
      // The reason as the page knows it.
      for (const stop of report.layers[0].stops) Object.assign(stop, { message, words });
      return report;
    } catch {
      return plainly(job, kind, why);
    }
  }

  /** @param {Job} job */
  #changed(job) {
    this.dispatchEvent(new CustomEvent("change", { detail: job }));
  }
}

/**
 * Whether a file names others, or others may say what it holds.
 * @param {FileReport} report
 */
function concernsOthers({ companions, layers }) {
  return Boolean(companions?.length) || layers.some(({ stops }) => stops.some(({ kind }) => kind === "unknown-format"));
}

/**
 * @param {unknown} error
 * @returns {[UnreadKind, Words]}
 */
function ended(error) {
  if (error instanceof Cancelled) return ["cancelled", { key: "list.failure.cancelled" }];
  const reason = error instanceof Error ? error.message : String(error);
  return ["exhausted", { key: "list.failure.crashed", values: { reason } }];
}

/**
 * The structure is read, but the search did not come to its end: what was found stays, and so does "not fully checked".
 * @param {FileReport} report
 * @param {UnreadKind} kind
 * @param {Words} why
 * @returns {FileReport}
 */
function cutShort(report, kind, why) {
  const words = [why, { key: "list.failure.from-here" }];
  const message = reported(words);
  const layers = report.layers.map((layer) => ({ ...layer, stops: [...layer.stops] }));
  for (const { layer, offset } of report.pending ?? []) {
    layers.find(({ id }) => id === layer)?.stops.push({ kind, at: offset, message, words });
  }
  return { ...report, layers, pending: [] };
}

/**
 * A result without the core, for the case that no worker comes up to write one.
 * @param {Job} job
 * @param {UnreadKind} kind
 * @param {Words} why
 * @returns {FileReport}
 */
function plainly(job, kind, why) {
  const coverage = { structure: 0, nested: 0, opaque: 0, slack: 0, unexplained: job.size };
  const words = [why];
  const stops = [{ kind, at: 0, message: reported(words), words }];
  const layer = { id: 0, parent: null, name: job.name, offset: null, len: job.size, formats: [], coverage, stops };
  return { path: job.name, size: job.size, verdict: "unfinished", layers: [layer], findings: [] };
}

/** @param {number[]} amounts */
function sum(amounts) {
  return amounts.reduce((total, amount) => total + amount, 0);
}
