// Giving a report to the user: as a download, or in the clipboard. Both stay on this machine.

import { h } from "./dom.js";
import { say } from "./language.js";

/** @typedef {import("./contract").ReportFormat} ReportFormat */

/** What can be saved, in the order of the buttons. Plain text has no name of its own. */
export const SAVED_AS = /** @type {{ format: ReportFormat, name?: string, extension: string, type: string }[]} */ ([
  { format: "html", name: "HTML", extension: "html", type: "text/html" },
  { format: "json", name: "JSON", extension: "json", type: "application/json" },
  { format: "jsonl", name: "JSON Lines", extension: "jsonl", type: "application/jsonl" },
  { format: "sarif", name: "SARIF", extension: "sarif", type: "application/sarif+json" },
  { format: "csv", name: "CSV", extension: "csv", type: "text/csv" },
  { format: "text", extension: "txt", type: "text/plain" },
]);

/**
 * @param {typeof SAVED_AS[number]} kind
 * @returns {string}
 */
export function formatName({ name }) {
  return name ?? say("answer.text");
}

/**
 * @param {string | Blob} content
 * @param {string} name
 * @param {string} type
 */
export function save(content, name, type) {
  const blob = typeof content === "string" ? new Blob([content], { type: `${type};charset=utf-8` }) : content;
  const address = URL.createObjectURL(blob);
  const anchor = h("a", { href: address, download: name.replace(/[^\p{L}\p{N}._ -]/gu, "_") });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/**
 * The text may still be in the making: the browser must hear of it within the click.
 * @param {Promise<string>} text
 */
export async function copy(text) {
  if (typeof ClipboardItem === "function" && navigator.clipboard?.write) {
    const blob = text.then((ready) => new Blob([ready], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  } else {
    await navigator.clipboard.writeText(await text);
  }
}
