// Answers for ajv: a line of JSON in, a line of JSON out.
//
//   in   {"dialect", "schema", "assertFormat", "instances": [...]}
//   out  a list of booleans, or a string: why the schema was refused
//
// The folder with node_modules is the first argument.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.argv[2] + "/");
const classes = {
  "draft4": require("ajv-draft-04").default,
  "draft6": require("ajv").default,
  "draft7": require("ajv").default,
  "draft2019-09": require("ajv/dist/2019").default,
  "draft2020-12": require("ajv/dist/2020").default,
};
const addFormats = require("ajv-formats").default;
const validators = new Map();

function validator(dialect, assertFormat) {
  const key = `${dialect} ${assertFormat}`;
  if (!validators.has(key)) {
    const ajv = new classes[dialect]({ strict: false, logger: false, validateFormats: assertFormat, unicodeRegExp: true });
    if (dialect === "draft6") ajv.addMetaSchema(require("ajv/dist/refs/json-schema-draft-06.json"));
    addFormats(ajv);
    validators.set(key, ajv);
  }
  return validators.get(key);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { dialect, schema, assertFormat, instances } = JSON.parse(line);
  const ajv = validator(dialect, assertFormat);
  let answer;
  try {
    const validate = ajv.compile(schema);
    answer = instances.map((instance) => validate(instance));
  } catch (error) {
    answer = String(error.message).slice(0, 300);
  }
  ajv.removeSchema();
  process.stdout.write(JSON.stringify(answer) + "\n");
}
