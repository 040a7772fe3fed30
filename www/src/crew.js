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
 * @typedef {object} How
 * @property {number} urgency lower goes first
 * @property {unknown} [owner] whoever may cancel it
 * @property {(done: number, total: number) => void} [pulse]
 * @property {() => void} [interrupted] told when it has to begin anew later
 * @property {(memory: number) => void} [weighed] told the size of the instance's memory in bytes, at the end
 */

/**
 * A task that waits or runs.
 * @typedef {How & { run: number, crew: Crew, task: Task, resolve: (result: any) => void, reject: (error: Error) => void }} Assignment
 */

/**
 * One worker and its present task.
 * @typedef {{ worker: Worker, ready: boolean, assignment: Assignment | null }} Place
 */

/** How urgent each kind of task is: small answers first, then structure, then the long searches. */
export const URGENCY = { desk: 0, check: 1, sweep: 2 };

/**
 * Somebody who has tasks for the workers of the page; see `Workers`. Events: `request` and `blocked` (detail: address)
 * when a worker reached, or tried to reach, the network, which must never happen.
 */
export class Crew extends EventTarget {
  #paused = false;

  /**
   * Gives a task to the first free worker.
   * @param {Task} task
   * @param {How} how
   * @returns {Promise<any>} rejects with Cancelled or Crashed
   */
  run(task, how) {
    return workers.run(task, { ...how, crew: this });
  }

  /**
   * Stops every task of these owners, at once.
   * @param {Set<unknown>} owners
   */
  cancel(owners) {
    workers.cancel(({ crew, owner }) => crew === this && owners.has(owner));
  }

  /**
   * While it pauses, only what is asked for at the desk is done. A task that runs cannot be held: its worker ends, and
   * it begins anew when the pause is over.
   * @param {boolean} paused
   */
  set paused(paused) {
    this.#paused = paused;
    workers.review(this);
  }

  get paused() {
    return this.#paused;
  }

  /** Leaves the workers to others; with the last one that leaves, they end. The next task starts them again. */
  close() {
    workers.leave(this);
  }
}

/** The workers of the page, for all that have tasks: several elements on a page bring no more of them than one. */
class Workers {
  /** @type {Set<Crew>} */
  #crews = new Set();
  /** @type {Assignment[]} */
  #waiting = [];
  /** @type {Place[]} */
  #places = [];
  #runs = 0;
  /** @type {Promise<WebAssembly.Module> | undefined} */
  #module;
  /** @type {string | undefined} */
  #address;
  /** How many workers at most. */
  #size = Math.max(2, Math.min((navigator.hardwareConcurrency || 2) - 1, 4));

  /**
   * @param {Task} task
   * @param {How & { crew: Crew }} how
   * @returns {Promise<any>}
   */
  run(task, how) {
    this.#crews.add(how.crew);
    return new Promise((resolve, reject) => {
      const { urgency } = how;
      const assignment = { ...how, run: ++this.#runs, task, resolve, reject };
      let at = this.#waiting.length;
      while (at > 0 && this.#waiting[at - 1].urgency > urgency) at -= 1;
      this.#waiting.splice(at, 0, assignment);
      this.#dispatch();
    });
  }

  /** @param {(assignment: Assignment) => boolean} which */
  cancel(which) {
    const dropped = this.#waiting.filter(which);
    this.#waiting = this.#waiting.filter((assignment) => !which(assignment));
    dropped.push(...this.#stop(which));
    for (const assignment of dropped) assignment.reject(new Cancelled());
    this.#dispatch();
  }

  /** @param {Crew} crew has paused, or goes on */
  review(crew) {
    const interrupted = this.#stop((assignment) => assignment.crew === crew && held(assignment));
    for (const { interrupted: tell } of interrupted) tell?.();
    this.#waiting = [...interrupted, ...this.#waiting].sort((a, b) => a.urgency - b.urgency);
    this.#dispatch();
  }

  /** @param {Crew} crew */
  leave(crew) {
    this.#crews.delete(crew);
    this.cancel((assignment) => assignment.crew === crew);
    if (!this.#crews.size) for (const place of [...this.#places]) this.#dismiss(place);
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

  #dispatch() {
    const due = this.#waiting.filter((assignment) => !held(assignment));
    for (const place of this.#places) {
      if (!place.ready || place.assignment) continue;
      const next = due.shift();
      if (!next) return;
      this.#assign(place, next);
    }
    const starting = this.#places.filter((place) => !place.ready).length;
    const wanted = Math.min(due.length - starting, this.#size - this.#places.length);
    for (let more = 0; more < wanted; more += 1) this.#hire();
  }

  /**
   * @param {Place} place
   * @param {Assignment} assignment
   */
  #assign(place, assignment) {
    this.#waiting.splice(this.#waiting.indexOf(assignment), 1);
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
      for (const crew of this.#crews) crew.dispatchEvent(new CustomEvent(answer.kind, { detail: answer.name }));
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

/**
 * Whether a task waits for the end of a pause.
 * @param {Assignment} assignment
 */
function held({ crew, urgency }) {
  return crew.paused && urgency > URGENCY.desk;
}

const workers = new Workers();
