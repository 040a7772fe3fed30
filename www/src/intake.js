// What the user gave: files and folders, from a drop, a button or the clipboard, as one stream of files.
//
// Folders are walked whole and without recursion. Something that cannot be read is not skipped: it comes out as an item
// with the reason, and gets its own row and result.

/** @typedef {import("./contract").Words} Words */

/**
 * A file, or why there is none.
 * @typedef {object} Item
 * @property {string} name with its folders, as the user sees it
 * @property {File} [file]
 * @property {Words} [failure] why the browser did not give the file
 * @property {number} [size] of the file, once it was asked for: the browser asks the disk each time
 * @property {Words} [refused] why it is not to be read
 * @property {() => Promise<File>} [renew] gives the file as it is now
 */

/**
 * Must be called inside the drop or paste event: the browser takes its content away afterwards.
 * @param {DataTransfer} transfer
 * @returns {AsyncGenerator<Item>}
 */
export function fromTransfer(transfer) {
  const kept = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({
      handle: handleOf(item),
      entry: item.webkitGetAsEntry?.() ?? null,
      file: item.getAsFile(),
    }));
  return fromKept(kept);
}

/**
 * @param {Iterable<File | FileSystemHandle>} files from an input element, or as the browser starts an installed page
 * @returns {AsyncGenerator<Item>}
 */
export async function* fromFiles(files) {
  for (const file of files) {
    if ("kind" in file) yield* fromHandle(file);
    else yield { name: file.webkitRelativePath || file.name, file };
  }
}

/**
 * @param {DataTransferItem} item
 * @returns {Promise<any>} a handle, or null: not every browser has them, and not everything has one
 */
function handleOf(item) {
  const ask = /** @type {any} */ (item).getAsFileSystemHandle;
  return ask ? ask.call(item).catch(() => null) : Promise.resolve(null);
}

/**
 * @param {{ handle: Promise<any>, entry: FileSystemEntry | null, file: File | null }[]} kept
 * @returns {AsyncGenerator<Item>}
 */
async function* fromKept(kept) {
  for (const { handle, entry, file } of kept) {
    const found = await handle;
    if (found) yield* fromHandle(found);
    else if (entry) yield* fromEntry(entry);
    else if (file) yield { name: file.name, file };
  }
}

/**
 * @param {any} first a FileSystemHandle
 * @returns {AsyncGenerator<Item>}
 */
async function* fromHandle(first) {
  const waiting = [{ name: first.name, handle: first }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { name, handle } = next;
    try {
      if (handle.kind === "file") {
        yield { name, file: await handle.getFile(), renew: () => handle.getFile() };
      } else {
        const inside = [];
        for await (const child of handle.values()) inside.push({ name: `${name}/${child.name}`, handle: child });
        waiting.push(...inSight(inside));
      }
    } catch (error) {
      yield { name, failure: reason(error) };
    }
  }
}

/**
 * @param {FileSystemEntry} first
 * @returns {AsyncGenerator<Item>}
 */
export async function* fromEntry(first) {
  const waiting = [{ name: first.name, entry: first }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { name, entry } = next;
    try {
      if (entry.isFile) {
        const renew = () =>
          new Promise((/** @type {(file: File) => void} */ resolve, reject) =>
            /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject),
          );
        yield { name, file: await renew(), renew };
      } else {
        const inside = await children(/** @type {FileSystemDirectoryEntry} */ (entry));
        waiting.push(...inSight(inside.map((child) => ({ name: `${name}/${child.name}`, entry: child }))));
      }
    } catch (error) {
      yield { name, failure: reason(error) };
    }
  }
}

/**
 * `readEntries` gives a part of the folder at each call (at most 100 entries in Chromium), and nothing at its end.
 * @param {FileSystemDirectoryEntry} folder
 */
async function children(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

/**
 * Sorted by name, last first: the walk takes from the end.
 * @template {{ name: string }} T
 * @param {T[]} inside
 */
function inSight(inside) {
  return inside.sort((a, b) => (a.name < b.name ? 1 : -1));
}

/**
 * @param {unknown} error
 * @returns {Words}
 */
function reason(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return { key: "list.failure.refused" };
  if (name === "NotFoundError") return { key: "list.failure.gone" };
  if (name === "NotReadableError") return { key: "list.failure.changed" };
  return { key: "list.failure.unopened", values: { reason: error instanceof Error ? error.message : String(error) } };
}
