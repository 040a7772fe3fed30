// The modules that bundle.mjs supplies.

/** A fresh WebAssembly instance with its own glue at every call. */
declare module "just-data:core" {
  export function instance(): import("./contract").Core;
}
/** The bundled worker as source text. */
declare module "just-data:worker" {
  const source: string;
  export default source;
}
/** The compiled core, from inside this script or from beside it. */
declare module "just-data:module" {
  export function module(): Promise<WebAssembly.Module>;
}
/** The WebAssembly module: gzip, then base64. */
declare module "just-data:wasm" {
  const text: string;
  export default text;
}
/** The published policy. */
declare module "just-data:policy" {
  const policy: import("./contract").Policy;
  export default policy;
}
/** The files of the site that the service worker keeps, each with its hash. */
declare module "just-data:kept" {
  export const build: string;
  export const files: Record<string, string>;
}
declare module "*.css" {
  const text: string;
  export default text;
}
