// The element as the site's pages have it, with what their own script shares with it.

export * from "./first-language.js";
export * from "./element.js";
