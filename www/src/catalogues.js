// What is said, in every language. On the site the bundler puts a module in place of this one that has only the languages
// which every page needs, and loads another when it is spoken.

import de from "./languages/de.json" with { type: "json" };
import en from "./languages/en.json" with { type: "json" };
import es from "./languages/es.json" with { type: "json" };
import fr from "./languages/fr.json" with { type: "json" };
import ja from "./languages/ja.json" with { type: "json" };
import zhHans from "./languages/zh-Hans.json" with { type: "json" };

/** The catalogues that are here, by the tag of their language. @type {Record<string, Record<string, string>>} */
export const catalogues = { en, de, fr, es, ja, "zh-Hans": zhHans };

/**
 * Loads a catalogue that is not here.
 * @param {string} _tag
 * @returns {Promise<void>}
 */
export async function load(_tag) {}
