// Reporting a problem: a message that is prepared, looked through and changed by the person, and then handed to the mail
// program or copied. Nothing is sent from here; the file is never part of it, and its name only if the person wants it.

import { h, refill } from "./dom.js";
import { say, sayIn } from "./language.js";
import { copy } from "./save.js";
import { prose } from "./translate.js";
import { visible } from "./wording.js";

/** @typedef {import("./contract").Policy} Policy */
/** @typedef {import("./contract").Problem} Problem */
/** @typedef {"breach" | "missed" | "wolf"} Kind */

/** Which build this is, as the foot of the page says. */
const BUILD = document.getElementById("build")?.dataset.build ?? "";

/** Who is concerned: those whose guidelines a file breaks, or the checker. @type {Kind[]} */
const KINDS = ["breach", "missed", "wolf"];

/**
 * Opens the message for what the person wants to report: from the buttons of the page, and from a finding.
 * @param {Policy} policy
 */
export function preparesMessages(policy) {
  const open = (/** @type {Problem} */ problem) => new Message(policy, problem).open();
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-report]"))) {
    button.hidden = false;
    button.addEventListener("click", () => open({ kind: button.dataset.report }));
  }
  addEventListener("just-data-problem", (event) => open(/** @type {CustomEvent<Problem>} */ (event).detail));
}

class Message {
  #policy;
  #problem;
  /** @type {Kind} */
  #kind;
  #kinds = h("select", { id: "report-about", change: () => this.#about(this.#kinds.value) });
  #to = h("output", { for: "report-about" });
  #subject = h("input", { id: "report-subject", type: "text", autocomplete: "off", input: () => this.#address() });
  #body = h("textarea", { id: "report-body", rows: 12, spellcheck: "true", input: () => this.#address() });
  #named = h("input", { id: "report-named", type: "checkbox", change: () => this.#write() });
  #mail = h("a.button.primary", {});
  #said = h("p.quiet", { role: "status" });
  #dialog;

  /**
   * @param {Policy} policy
   * @param {Problem} problem
   */
  constructor(policy, problem) {
    this.#policy = policy;
    this.#problem = problem;
    this.#kind = KINDS.find((kind) => kind === problem.kind) ?? "breach";
    const close = h("button", { type: "button", click: () => this.#dialog.close() }, say("site.report.close"));
    this.#dialog = h("dialog.message", { "aria-labelledby": "report-title", close: () => this.#dialog.remove() },
      h("h2", { id: "report-title" }, say("site.report.prepare")),
      h("label", { for: "report-about" }, say("site.report.kind")), this.#kinds,
      h("p", {}, h("strong", {}, say("site.report.public"))),
      h("p.to", {}, h("span.label", {}, say("site.report.to")), " ", this.#to),
      h("label", { for: "report-subject" }, say("site.report.subject")), this.#subject,
      h("label", { for: "report-body" }, say("site.report.body")), this.#body,
      problem.place ? h("label.tick", {}, this.#named, " ", say("site.report.name")) : null,
      h("p.quiet", {}, say("site.report.never")),
      h("div.buttons", {}, this.#mail, h("button", { type: "button", click: () => this.#copy() }, say("site.report.copy")), close),
      this.#said);
    refill(this.#kinds, KINDS.map((kind) => h("option", { value: kind, selected: kind === this.#kind }, say(`site.report.${kind}.title`, { name: policy.name }))));
    refill(this.#mail, say("site.report.mail"));
    this.#about(this.#kind);
  }

  open() {
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#subject.focus();
  }

  /** @param {string} kind */
  #about(kind) {
    this.#kind = /** @type {Kind} */ (kind);
    this.#write();
  }

  /** Writes the message anew: it is about something else now, or names the file. */
  #write() {
    const { subject, body } = this.#words();
    this.#subject.value = subject;
    this.#body.value = body;
    const to = this.#recipient();
    const { repository } = this.#policy.checker;
    refill(this.#to, to ?? prose(repository ? say("site.report.repository", { repository }) : say("site.report.where")));
    this.#mail.hidden = !to;
    this.#address();
  }

  /** The mail program is given exactly what stands in the fields. */
  #address() {
    const part = (/** @type {string} */ text) => encodeURIComponent(text.replace(/\r?\n/g, "\r\n"));
    this.#mail.href = `mailto:${encodeURIComponent(this.#recipient() ?? "").replace("%40", "@")}?subject=${part(this.#subject.value)}&body=${part(this.#body.value)}`;
    this.#said.textContent = "";
  }

  #recipient() {
    return this.#kind === "breach" ? this.#policy.reporting.email : this.#policy.checker.email;
  }

  /** The message, in the language in which those who are written to prefer to read. */
  #words() {
    const { reporting, guidelines, languages, name } = this.#policy;
    const tongue = this.#kind === "breach" ? reporting.languages[0] : "en";
    const tell = (/** @type {string} */ key, values = {}) => sayIn(tongue, `site.mail.${key}`, values);
    const { rule, place, offset, sha256, guideline } = this.#problem;
    const named = this.#named.checked;
    const file = place?.split(" › ")[0];
    const where = named ? visible(place ?? "") : tell(place === file ? "the-file" : "inside");
    const title = guidelines.find(({ id }) => id === guideline)?.title;
    const subject = this.#kind !== "breach" ? tell(this.#kind)
      : title ? tell("breach", { guideline: title[tongue] ?? title[languages[0]] })
        : tell("breach-of", { name });
    const facts = [
      rule && tell("rule", { rule }),
      place && tell("place", { offset: String(offset ?? 0), place: where }),
      sha256 && `SHA-256: ${sha256}`,
      named && tell("file", { name: visible(file ?? "") }),
      `Just Data: ${BUILD}`,
    ];
    return {
      subject: rule ? `${subject} (${rule})` : subject,
      body: [tell("saw"), "", "", tell("expected"), "", "", ...facts.filter(Boolean), ""].join("\n"),
    };
  }

  async #copy() {
    const text = [this.#recipient() ? `${say("site.report.to")}: ${this.#recipient()}` : null, `${say("site.report.subject")}: ${this.#subject.value}`, "", this.#body.value]
      .filter((line) => line !== null).join("\n");
    try {
      await copy(Promise.resolve(text));
      this.#said.textContent = say("site.report.copied");
    } catch {
      this.#said.textContent = say("site.report.refused");
      this.#body.select();
    }
  }
}
