// The language that the site's page is first shown in: it is loaded before anything is said in another one.

import { spoken } from "./language.js";
import { settings } from "./settings.js";

settings.ask(asked() ?? "");
await spoken();

/** @returns {string | null | undefined} the language of this address: of the file, or of its question */
export function asked() {
  return document.documentElement.dataset.chosen ?? new URLSearchParams(location.search).get("lang");
}
