// The two dialogs: the keys, and the settings.

import { h, refill } from "./dom.js";
import { LANGUAGES, say } from "./language.js";
import { LIMITS, STRICT, THEMES, settings } from "./settings.js";
import { GUIDELINES } from "./wording.js";

/** @typedef {import("./dom.js").Child} Child */
/** @typedef {import("./contract").Limits} Limits */

/** What each key does, in the order in which it is told. */
const KEYS = /** @type {[string[], string][]} */ ([
  [["/"], "list.keys.search"],
  [["?"], "list.keys.help"],
  [["↑", "↓"], "list.keys.move"],
  [["Home", "End"], "list.keys.ends"],
  [["Enter", "→"], "list.keys.open"],
  [["Esc", "←"], "list.keys.close"],
  [["Tab"], "list.keys.tab"],
]);

/** A dialog that is filled anew each time it is shown, in the language that is spoken. */
class Dialog {
  element = h("dialog", { "aria-labelledby": "title" });

  show() {
    this.draw();
    if (!this.element.open) this.element.showModal();
  }

  close() {
    this.element.close();
  }

  /** Says it anew, if it is shown. */
  retell() {
    if (!this.element.open) return;
    const focused = /** @type {ShadowRoot} */ (this.element.getRootNode()).activeElement?.id;
    this.draw();
    if (focused) this.element.querySelector(`#${focused}`)?.focus();
  }

  draw() {}

  /**
   * @param {string} title
   * @param {...Child} content
   */
  fill(title, ...content) {
    refill(this.element,
      h("div.titled", {},
        h("h2", { id: "title" }, title),
        h("button", { type: "button", id: "close", click: () => this.close() }, say("list.dialog.close"))),
      ...content);
  }
}

export class KeysDialog extends Dialog {
  draw() {
    this.fill(say("list.keys.title"),
      h("table.keys", {}, h("tbody", {}, KEYS.map(([keys, what]) =>
        h("tr", {}, h("th", { scope: "row" }, keys.map((key, at) => [at ? " " : null, h("kbd", {}, key)])), h("td", {}, say(what)))))));
  }
}

export class SettingsDialog extends Dialog {
  #forget;
  #told = h("p.told", { role: "status" });

  /** @param {() => void} forget everything */
  constructor(forget) {
    super();
    this.#forget = forget;
  }

  draw() {
    const { choices, remembered } = settings;
    refill(this.#told);
    this.fill(say("settings.title"),
      h("div.fields", {},
        choice("language", [["", say("settings.language.own")], ...Object.entries(LANGUAGES)], choices.language,
          (value) => settings.choose({ language: value }), (value) => (value ? { lang: value } : {})),
        choice("theme", THEMES.map((theme) => [theme, say(`settings.theme.${theme}`)]), choices.theme,
          (value) => settings.choose({ theme: /** @type {any} */ (value) }))),
      group("weigh", GUIDELINES.map((guideline) =>
        this.#tick(`weigh-${guideline}`, say(`verdict.guideline.${guideline}.name`), choices.weigh.includes(guideline), (on) => {
          const weigh = GUIDELINES.filter((one) => (one === guideline ? on : settings.choices.weigh.includes(one)));
          // Without any guideline there is nothing to say about a file.
          if (weigh.length) settings.choose({ weigh });
          else this.draw();
        }))),
      group("strict", STRICT.map((one) =>
        this.#tick(`strict-${one}`, say(`settings.strict.${one}`), choices.strict.includes(one), (on) =>
          settings.choose({ strict: STRICT.filter((other) => (other === one ? on : settings.choices.strict.includes(other))) })))),
      group("limits", h("div.fields", {}, Object.keys(LIMITS).map((name) => this.#limit(/** @type {keyof Limits} */ (name))))),
      group("page",
        this.#tick("keys", say("settings.keys"), choices.keys, (keys) => settings.choose({ keys })),
        this.#tick("remember", say("settings.remember"), remembered, (on) => {
          const done = settings.remember(on);
          if (!done) this.draw();
          refill(this.#told, say(!done ? "settings.refused" : on ? "settings.remembered" : "settings.not-remembered"));
        })),
      this.#told,
      h("div.buttons", {},
        h("button.forget", { type: "button", id: "forget", click: () => { this.close(); this.#forget(); } }, say("list.forget")),
        h("span.quiet", {}, say("list.forget.explained"))));
  }

  /**
   * @param {string} id
   * @param {string} label
   * @param {boolean} on
   * @param {(on: boolean) => void} changed
   */
  #tick(id, label, on, changed) {
    const box = h("input", { type: "checkbox", id, change: () => changed(box.checked) });
    box.checked = on;
    return h("label.tick", {}, box, h("span", {}, label));
  }

  /** @param {keyof Limits} name */
  #limit(name) {
    const { usual, unit, most } = LIMITS[name];
    const own = settings.choices.limits[name];
    const input = h("input", {
      type: "number", id: `limit-${name}`, min: 1, max: most, step: 1, inputmode: "numeric", placeholder: String(usual / unit),
      "aria-describedby": "limits-hint",
      change: () => {
        const { [name]: _, ...limits } = settings.choices.limits;
        const wanted = Math.floor(input.valueAsNumber);
        const sound = wanted >= 1 && wanted <= most;
        input.setAttribute("aria-invalid", String(input.value !== "" && !sound));
        settings.choose({ limits: sound && wanted * unit !== usual ? { ...limits, [name]: wanted * unit } : limits });
        refill(this.#told, say(sound || input.value === "" ? "settings.limits.next" : "settings.limits.range", { least: 1, most }));
      },
    });
    if (own) input.value = String(own / unit);
    return h("label.field", {}, h("span", {}, say(`settings.limit.${name}`)), input);
  }
}

/**
 * @param {string} id
 * @param {[string, string][]} options
 * @param {string} value
 * @param {(value: string) => void} changed
 * @param {(value: string) => Record<string, any>} [attributes]
 */
function choice(id, options, value, changed, attributes = () => ({})) {
  const select = h("select", { id, change: () => changed(select.value) },
    options.map(([one, name]) => h("option", { value: one, ...attributes(one) }, name)));
  select.value = value;
  return h("label.field", {}, h("span", {}, say(`settings.${id}`)), select);
}

/**
 * @param {string} id
 * @param {...Child} content
 */
function group(id, ...content) {
  return h("fieldset", {}, h("legend", {}, say(`settings.${id}.title`)), h("p.quiet", { id: `${id}-hint` }, say(`settings.${id}.hint`)), content);
}
