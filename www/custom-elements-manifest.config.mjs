// How the manifest of the element is made; package.mjs takes it from there.
export default { globs: ["src/element.js"], packagejson: false };
