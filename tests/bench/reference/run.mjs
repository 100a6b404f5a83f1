// Runs a job of operations over a state with OpenFn's runtime: node run.mjs JOB STATE [ITEMS]; prints seconds.
import { readFileSync } from "node:fs";
import run from "@openfn/runtime";

const [job, state, items] = process.argv.slice(2);
const source = readFileSync(job, "utf8");
const given = JSON.parse(readFileSync(state, "utf8"));
const path = new URL("node_modules/@openfn/language-common", import.meta.url).pathname;
const begun = performance.now();
const ended = await run(source, given, { linker: { modules: { "@openfn/language-common": { path, version: "3.3.4" } } } });
const seconds = (performance.now() - begun) / 1000;
if (ended.errors) throw new Error("the job failed");
if (items && ended.sent.length !== Number(items)) throw new Error(`${ended.sent.length} items`);
console.log(seconds);
