// Reads the documents {name, kind, text} of a JSON array on standard input with the official
// parser of AsyncAPI and a validator of OpenAPI.  Writes {name, errors, channels, messages} as lines.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";

const require = createRequire(process.argv[2] + "/node_modules/");
const {Parser} = require("@asyncapi/parser");
const {Validator} = await import(require.resolve("@seriousme/openapi-schema-validator"));

for (const {name, kind, text} of JSON.parse(readFileSync(0, "utf8"))) {
  const result = {name, errors: [], channels: [], messages: 0};
  if (kind === "asyncapi") {
    const {document, diagnostics} = await new Parser().parse(text);
    result.errors = diagnostics.filter(d => d.severity <= 1).map(d => `${d.message} at /${d.path.join("/")}`);
    result.channels = document ? document.channels().all().map(channel => channel.address()) : [];
    result.messages = document ? document.messages().all().length : 0;
  } else {
    const {valid, errors} = await new Validator().validate(JSON.parse(text));
    if (!valid) result.errors = [JSON.stringify(errors).slice(0, 1000)];
  }
  console.log(JSON.stringify(result));
}
