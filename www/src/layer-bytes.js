// The bytes of one layer, and a closer look at them. What lies in the file as it is, is read from it; what was decoded
// or gathered, the core opens again in a worker, which gives pieces that are kept for a while.

/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./contract").MapRow} MapRow */
/** @typedef {import("./contract").Step} Step */
/** @typedef {import("./queue.js").Job} Job */

/** A piece of a decoded layer that is asked for at once, in bytes. */
const PIECE = 256 * 1024;
/** Pieces that are kept. */
const KEPT = 16;

export class LayerBytes {
  #job;
  #look;
  #way;
  /** Where the layer starts in the file, if it lies there as it is. @type {number | null} */
  #start;
  /** @type {Map<number, Promise<Uint8Array>>} */
  #pieces = new Map();

  /**
   * @param {Job} job
   * @param {FileReport} report
   * @param {Layer} layer
   * @param {(job: Job, task: import("./contract").Look) => Promise<any>} look has a task done in a worker
   */
  constructor(job, report, layer, look) {
    this.#job = job;
    this.#look = look;
    this.#way = wayTo(report, layer);
    this.#start = this.#way.every(({ in_place, offset }) => in_place && offset !== null)
      ? this.#way.reduce((sum, { offset }) => sum + /** @type {number} */ (offset), 0)
      : null;
  }

  /** Whether the bytes stand in the file as they are. */
  get lieInFile() {
    return this.#start !== null;
  }

  /**
   * @param {number} offset
   * @param {number} length
   * @returns {Promise<Uint8Array>}
   */
  async read(offset, length) {
    if (this.#start !== null) {
      const from = this.#start + offset;
      return new Uint8Array(await this.#file.slice(from, from + length).arrayBuffer());
    }
    const bytes = new Uint8Array(length);
    let filled = 0;
    for (let at = offset; at < offset + length; ) {
      const piece = Math.floor(at / PIECE);
      const inside = at - piece * PIECE;
      const some = (await this.#piece(piece)).subarray(inside, inside + offset + length - at);
      if (!some.length) break;
      bytes.set(some, filled);
      filled += some.length;
      at += some.length;
    }
    return bytes.subarray(0, filled);
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} most rows
   * @returns {Promise<MapRow[]>}
   */
  regions(from, to, most) {
    return this.#ask({ kind: "regions", from, to, most });
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} columns
   * @param {number} sample bytes that are looked at in each column
   * @returns {Promise<Float64Array>} bits a byte, from 0 to 8
   */
  variety(from, to, columns, sample) {
    return this.#ask({ kind: "variety", from, to, columns, sample });
  }

  /** @param {number} number */
  #piece(number) {
    const kept = this.#pieces.get(number);
    if (kept) return kept;
    const piece = this.#ask({ kind: "peek", offset: number * PIECE, len: PIECE });
    this.#pieces.set(number, piece);
    piece.catch(() => this.#pieces.delete(number));
    const [oldest] = this.#pieces.keys();
    if (this.#pieces.size > KEPT) this.#pieces.delete(oldest);
    return piece;
  }

  /** @param {any} what */
  async #ask(what) {
    return this.#look(this.#job, { ...what, name: this.#job.name, blob: this.#file, way: this.#way });
  }

  get #file() {
    if (!this.#job.file) throw new Error("there is no file");
    return this.#job.file;
  }
}

/**
 * The way from the file to a layer.
 * @param {FileReport} report
 * @param {Layer} layer
 * @returns {Step[]}
 */
export function wayTo(report, layer) {
  const byId = new Map(report.layers.map((one) => [one.id, one]));
  const way = [];
  for (let at = layer; at.parent !== null; at = /** @type {Layer} */ (byId.get(at.parent))) {
    const { name, offset, len, in_place = false, parent } = at;
    let nth = 0;
    for (const other of report.layers) {
      if (other === at) break;
      if (other.parent === parent && other.name === name && other.offset === offset && other.len === len && (other.in_place ?? false) === in_place) nth += 1;
    }
    way.unshift({ name, offset, len, in_place, nth });
  }
  return way;
}
