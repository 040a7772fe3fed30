// The workers, and what each of them is doing.
//
// A worker is disposable: a task is cancelled by terminating the worker that runs it, and a worker whose task failed is
// not trusted with another. A fresh one takes its place. So a file that breaks the checker costs that file alone.

import { module } from "just-data:module";
import source from "just-data:worker";
import { workerAddress } from "./trusted.js";

/** @typedef {import("./contract").Task} Task */
/** @typedef {import("./contract").Answer} Answer */

/** The task was stopped because the user asked for it. */
export class Cancelled extends Error {
  constructor() {
    super("cancelled");
    this.name = "Cancelled";
  }
}

/** The worker stopped under the task. */
export class Crashed extends Error {
  /** @param {string} message what the browser said about it */
  constructor(message) {
    super(message);
    this.name = "Crashed";
  }
}

/**
 * A task that waits or runs.
 * @typedef {object} Assignment
 * @property {number} run
 * @property {number} urgency lower goes first
 * @property {unknown} [owner] whoever may cancel it
 * @property {Task} task
 * @property {(done: number, total: number) => void} [pulse]
 * @property {() => void} [interrupted] told when it has to begin anew later
 * @property {(memory: number) => void} [weighed] told the size of the instance's memory in bytes, at the end
 * @property {(result: any) => void} resolve
 * @property {(error: Error) => void} reject
 */

/**
 * One worker and its present task.
 * @typedef {{ worker: Worker, ready: boolean, assignment: Assignment | null }} Place
 */

/** How urgent each kind of task is: small answers first, then structure, then the long searches. */
export const URGENCY = { desk: 0, check: 1, sweep: 2 };

/**
 * Hands tasks to a few workers. Events: `request` and `blocked` (detail: address) when a worker reached, or tried to
 * reach, the network, which must never happen.
 */
export class Crew extends EventTarget {
  /** @type {Assignment[]} */
  #waiting = [];
  /** @type {Place[]} */
  #places = [];
  #runs = 0;
  #paused = false;
  /** @type {Promise<WebAssembly.Module> | undefined} */
  #module;
  /** @type {string | undefined} */
  #address;
  #size;

  /** @param {number} [size] how many workers at most */
  constructor(size = Math.max(2, Math.min((navigator.hardwareConcurrency || 2) - 1, 4))) {
    super();
    this.#size = size;
  }

  /**
   * Gives a task to the first free worker.
   * @param {Task} task
   * @param {{ urgency: number, owner?: unknown, pulse?: Assignment["pulse"], interrupted?: Assignment["interrupted"], weighed?: Assignment["weighed"] }} how
   * @returns {Promise<any>} rejects with Cancelled or Crashed
   */
  run(task, how) {
    return new Promise((resolve, reject) => {
      const { urgency } = how;
      const assignment = { ...how, run: ++this.#runs, task, resolve, reject };
      let at = this.#waiting.length;
      while (at > 0 && this.#waiting[at - 1].urgency > urgency) at -= 1;
      this.#waiting.splice(at, 0, assignment);
      this.#dispatch();
    });
  }

  /**
   * Stops every task of these owners, at once.
   * @param {Set<unknown>} owners
   */
  cancel(owners) {
    const dropped = this.#waiting.filter(({ owner }) => owners.has(owner));
    this.#waiting = this.#waiting.filter(({ owner }) => !owners.has(owner));
    dropped.push(...this.#stop(({ owner }) => owners.has(owner)));
    for (const assignment of dropped) assignment.reject(new Cancelled());
    this.#dispatch();
  }

  /**
   * While it pauses, only what is asked for at the desk is done. A task that runs cannot be held: its worker ends, and
   * it begins anew when the pause is over.
   * @param {boolean} paused
   */
  set paused(paused) {
    this.#paused = paused;
    if (paused) {
      const interrupted = this.#stop(({ urgency }) => urgency > URGENCY.desk);
      for (const { interrupted: tell } of interrupted) tell?.();
      this.#waiting = [...interrupted, ...this.#waiting].sort((a, b) => a.urgency - b.urgency);
    }
    this.#dispatch();
  }

  get paused() {
    return this.#paused;
  }

  /** Ends every worker. The next task starts one again. */
  close() {
    const dropped = [...this.#waiting, ...this.#stop(() => true)];
    this.#waiting = [];
    for (const place of [...this.#places]) this.#dismiss(place);
    for (const assignment of dropped) assignment.reject(new Cancelled());
  }

  /**
   * Ends the workers of some tasks.
   * @param {(assignment: Assignment) => boolean} which
   * @returns {Assignment[]} those tasks
   */
  #stop(which) {
    return [...this.#places].flatMap((place) => {
      const { assignment } = place;
      if (!assignment || !which(assignment)) return [];
      this.#dismiss(place);
      return [assignment];
    });
  }

  /** @returns {number} tasks that may be begun now; they are the first ones */
  get #due() {
    if (!this.#paused) return this.#waiting.length;
    const held = this.#waiting.findIndex(({ urgency }) => urgency > URGENCY.desk);
    return held < 0 ? this.#waiting.length : held;
  }

  #dispatch() {
    for (const place of this.#places) {
      if (!this.#due) return;
      if (place.ready && !place.assignment) this.#assign(place);
    }
    const starting = this.#places.filter((place) => !place.ready).length;
    const wanted = Math.min(this.#due - starting, this.#size - this.#places.length);
    for (let more = 0; more < wanted; more += 1) this.#hire();
  }

  /** @param {Place} place */
  #assign(place) {
    const assignment = /** @type {Assignment} */ (this.#waiting.shift());
    place.assignment = assignment;
    try {
      place.worker.postMessage({ run: assignment.run, task: assignment.task });
    } catch (error) {
      place.assignment = null;
      assignment.reject(new Crashed(String(error)));
    }
  }

  #hire() {
    this.#module ??= module();
    this.#address ??= URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    /** @type {Place} */
    const place = { worker: new Worker(workerAddress(this.#address), { name: "just-data" }), ready: false, assignment: null };
    this.#places.push(place);
    place.worker.addEventListener("message", ({ data }) => this.#hear(place, data));
    place.worker.addEventListener("messageerror", () => this.#lose(place, "its answer could not be read"));
    place.worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#lose(place, event.message || "the browser would not start it");
    });
    this.#module.then(
      (compiled) => place.worker.postMessage({ kind: "start", module: compiled }),
      (error) => this.#lose(place, `WebAssembly would not start: ${error}`),
    );
  }

  /**
   * @param {Place} place
   * @param {Answer} answer
   */
  #hear(place, answer) {
    if (answer.kind === "request" || answer.kind === "blocked") {
      this.dispatchEvent(new CustomEvent(answer.kind, { detail: answer.name }));
      return;
    }
    if (answer.kind === "ready") {
      place.ready = true;
      this.#dispatch();
      return;
    }
    const assignment = place.assignment;
    if (!assignment || answer.run !== assignment.run) return;
    if (answer.kind === "pulse") {
      assignment.pulse?.(answer.done, answer.total);
    } else if (answer.kind === "done") {
      place.assignment = null;
      assignment.weighed?.(answer.memory);
      assignment.resolve(answer.result);
      this.#dispatch();
    } else {
      this.#lose(place, answer.message);
    }
  }

  /**
   * @param {Place} place
   * @param {string} message
   */
  #lose(place, message) {
    if (!this.#places.includes(place)) return;
    // A worker that never came up will not come up the next time either: its failure is that of the task that waits.
    const assignment = place.assignment ?? (place.ready ? undefined : this.#waiting.shift());
    this.#dismiss(place);
    assignment?.reject(new Crashed(message));
    this.#dispatch();
  }

  /** @param {Place} place */
  #dismiss(place) {
    place.worker.terminate();
    place.assignment = null;
    this.#places.splice(this.#places.indexOf(place), 1);
  }
}
