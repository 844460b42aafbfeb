// A hot loop of ajv: argv are the folder of its packages, a schema, documents
// (one a line), how often each is run, and the answer that is expected.  Writes
// the nanoseconds that each document took, one a line.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [folder, schemaFile, documentsFile, times, expected] = process.argv.slice(2);
const load = createRequire(folder + "/node_modules/");
const schema = JSON.parse(readFileSync(schemaFile, "utf8"));
const Ajv = load(String(schema.$schema).includes("2020-12") ? "ajv/dist/2020" : "ajv").default;
const ajv = new Ajv({ strict: false, validateFormats: true, unicodeRegExp: true });
load("ajv-formats").default(ajv, { mode: "full" });
const validate = ajv.compile(schema);
const documents = readFileSync(documentsFile, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));

function loop(document, times) {
    let valid = 0;
    const start = process.hrtime.bigint();
    for (let i = 0; i < times; i++)
        valid += validate(document) ? 1 : 0;
    const end = process.hrtime.bigint();
    if (valid !== (expected === "true" ? times : 0))
        return "disagrees";
    return Number(end - start) / times;
}

// until the compiler of the language has done its work
for (let i = 0; i < 5; i++)
    for (const document of documents)
        loop(document, Math.min(Number(times), 200));
for (const document of documents)
    console.log(loop(document, Number(times)));
