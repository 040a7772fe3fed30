// The published policy: read, checked, and put into the forms that other people and programs look for.
//
//   node policy.mjs [--policy FILE]
//
// says whether the policy may be published.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { stretches, words } from "./src/prose.js";

const here = dirname(fileURLToPath(import.meta.url));

/** The policy that this repository publishes. */
export const OWN = join(here, "policy.json");

/**
 * @param {string} [path]
 * @param {Date} [now] the day on which it is published
 * @returns {Promise<any>} the policy; rejects with all that is wrong with it
 */
export async function policy(path = OWN, now = new Date()) {
  const text = await readFile(path, "utf8");
  let read;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw new Error(`The policy is no JSON: ${error.message}`);
  }
  const wrong = await faults(read, now);
  if (wrong.length) throw new Error(`The policy in ${path} cannot be published:\n- ${wrong.join("\n- ")}`);
  return read;
}

/**
 * @param {any} policy
 * @param {Date} now
 * @returns {Promise<string[]>} a sentence for each thing that is wrong
 */
export async function faults(policy, now) {
  const ajv = new Ajv2020({ allErrors: true });
  formats.default(ajv);
  const fits = ajv.compile(JSON.parse(await readFile(join(here, "policy.schema.json"), "utf8")));
  if (!fits(policy)) {
    return fits.errors.map(({ instancePath, message, params }) =>
      `${place(instancePath.slice(1).split("/"))} ${message}${params.additionalProperty ? `: "${params.additionalProperty}"` : ""}.`);
  }
  const found = [];
  for (const { at, value, kind } of leaves(policy)) found.push(...FAULTS[kind](value, policy).map((fault) => `${place(at)} ${fault}`));
  if (new Set(policy.guidelines.map(({ id }) => id)).size !== 3) found.push("guidelines must name each of code, reporting and listening once.");
  if (new Date(policy.expires) <= now) found.push(`expires is ${policy.expires}, which has passed: look through the policy, then give it a new date.`);
  return found;
}

/** What is looked at in each kind of value. */
const FAULTS = {
  email: (value) => (obfuscated(value) ? [`is "${value}", which somebody obfuscated: nobody can write to it.`]
    : EMAIL.test(value) ? [] : [`is "${value}", which is no e-mail address.`]),
  address: (value) => (broken(value) ? [`is "${value}", which ${broken(value)}.`] : []),
  text: (value, { languages }) => [
    ...languages.filter((language) => !value[language]).map((language) => `has no text in ${language}.`),
    ...Object.keys(value).filter((language) => !languages.includes(language)).map((language) => `has a text in ${language}, which is not among the languages.`),
    ...Object.entries(value).flatMap(([language, text]) => [
      ...(obfuscated(text) ? [`holds an obfuscated e-mail address (${language}).`] : []),
      ...stretches(text).flatMap((stretch) =>
        (stretch.kind === "link" && broken(stretch.to) ? [`links to "${stretch.to}", which ${broken(stretch.to)} (${language}).`] : [])),
    ]),
  ],
};

/** The plain form of RFC 5321; quoted names and address literals are for nobody who is to be written to. */
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$/;

/** What web hosts and mailing lists put in place of an address: "[email protected]", "name at host dot org". */
function obfuscated(text) {
  return /\[email[\s\u00a0]*protected\]|\/cdn-cgi\/l\/email-protection|[\w.+-]+\s*[([{<]\s*at\s*[)\]}>]\s*[\w.-]+|\b[\w.+-]+\s+at\s+[\w-]+\s+dot\s+\w+/i.test(text);
}

/** Why an address cannot be followed, or null. */
function broken(address) {
  if (!URL.canParse(address)) return "is no whole address";
  const { protocol, hostname, username } = new URL(address);
  if (protocol !== "https:") return "does not begin with https://";
  if (username) return "names a user";
  if (!/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(hostname)) return `names no host on the internet (${hostname})`;
  return /\s/.test(address) ? "has a space in it" : null;
}

/** Every text, address and e-mail of the policy with its place. */
function* leaves(value, at = []) {
  if (value === null || typeof value !== "object") return;
  for (const [name, inner] of Object.entries(value)) {
    const there = [...at, name];
    if (typeof inner === "string" && name === "email") yield { at: there, value: inner, kind: "email" };
    else if (typeof inner === "string" && ["address", "packages", "site", "repository"].includes(name)) yield { at: there, value: inner, kind: "address" };
    else if (isText(inner)) yield { at: there, value: inner, kind: "text" };
    else yield* leaves(inner, there);
  }
}

/** One text in several languages; the schema knows where these are, and no other object has only strings in it. */
function isText(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) && Object.values(value).every((one) => typeof one === "string");
}

function place(at) {
  return at.filter(Boolean).join(".") || "The policy";
}

/**
 * What programs read to find out where a vulnerability is reported (RFC 9116).
 * @param {any} policy
 */
export function securityTxt({ site, expires, reporting }) {
  return [
    `Contact: mailto:${reporting.email.replace(/[^A-Za-z0-9.@_~-]/g, encodeURIComponent)}`,
    `Expires: ${expires}`,
    `Preferred-Languages: ${reporting.languages.join(", ")}`,
    ...(site ? [`Canonical: ${new URL(".well-known/security.txt", site)}`, `Policy: ${new URL("reporting.html", site)}`] : []),
    "",
  ].join("\n");
}

/**
 * @param {any} policy
 * @returns {string} SECURITY.md, as repositories have it
 */
export function securityMd(policy) {
  const { name, reporting, scope, versions, advisories, binaries, checker, languages } = policy;
  const text = (texts) => texts[languages[0]];
  const names = new Intl.DisplayNames(["en"], { type: "language" });
  const preferred = new Intl.ListFormat("en", { type: "disjunction" }).format(reporting.languages.map((tag) => names.of(tag)));
  const own = checker.email ? `<${checker.email}>`
    : checker.repository ? `the private vulnerability reporting of [the repository](${checker.repository})`
      : "the private vulnerability reporting of this repository (its *Security* tab)";
  return `<!-- Made from www/policy.json: change that, then run \`BLESS=1 node --test policy.test.mjs\` in tests/page. -->

# Security

${text(policy.about)}

${text(policy.assumption)}

${policy.guidelines.map(({ title, says }) => `- **${text(title)}**: ${text(says)}`).join("\n")}

${text(policy.followed)}

## A vulnerability in ${name}

Do not report it through public issues. Write, in ${preferred}, to <${reporting.email}>. A response comes within
${reporting.hours} hours.

${text(scope.covers)}

${scope.notes.map(({ text: note }) => `- ${text(note)}`).join("\n")}

### Supported versions

| distribution | supported | what it receives |
| --- | --- | --- |
${versions.list.map((one) => `| ${text(one.name)} | ${one.supported ? "yes" : "no"} | ${text(one.receives)} |`).join("\n")}

The newest packages are at <${versions.packages}>. ${text(binaries.built)} ${text(binaries.source)}

${text(versions.note)}

### Advisories

${advisories.length ? advisories.map((one) => `- ${one.date} [${one.id}](${one.address}): ${words(text(one.title))}`).join("\n") : "None published."}

## A problem of Just Data

- **It missed something**: a file that runs code, contacts a server or opens a port, and got another verdict than
  *not just data*.
- **It cried wolf**: plain data that got a warning.
- **It broke its own promises**: a request that left the page, a crash that took more than one file, a report that says
  more was read than was.

Use ${own} for the first and the third, and describe the file instead of attaching it where it is not yours to give: the
rule, the place in bytes and the format are usually enough. A false alarm may go to a public issue.

Supported is the newest version. There is no bug bounty. Out of scope are memory-corruption exploits in the programs that
open a file, the question who made a file, and known malware: see "What it cannot know" in the [README](README.md).
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { policy: { type: "string" } } });
  try {
    const read = await policy(values.policy);
    console.log(`The policy of ${read.name} may be published. It is to be looked through before ${read.expires}.`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
