// Appended to the block of TypeBox in docs/how-to/libraries.md: prints schemas, and documents
// with what the database must answer.

import { Value } from "@sinclair/typebox/value";

const put = (name, schema, cases, refused) => console.log(JSON.stringify({
  name: `typebox.page.${name}`, schema, refused, cases: cases.map(([document, good]) => [JSON.stringify(document), good]),
}));

const document = Value.Encode(Order, { placed_at: new Date("2031-07-09T08:15:30.5Z"), legs: [["IBM", 3]], price: "1.50" });
put("order", schema, [
  [document, true], [{ ...document, legs: [] }, true],
  ...[{ legs: [["IBM"]] }, { legs: [["IBM", 3, 4]] }, { legs: [["", 3]] }, { price: "x" }, { placed_at: "2031-07-09T08:15:30" }, { more: 1 }]
    .map((change) => [{ ...document, ...change }, false]),
]);

const tuple = Type.Tuple([Type.String(), Type.Integer()]);
put("tuple", tuple, [], "must be a schema (an object or a boolean), but is an array");
const both = Type.Intersect([Type.Object({ x: Type.Number() }), Type.Object({ y: Type.Number() })], { unevaluatedProperties: false });
put("intersect", { $schema: "https://json-schema.org/draft/2019-09/schema", ...both },
  [{ x: 1, y: 2 }, { x: 1, y: 2, z: 3 }, { x: 1 }].map((value) => [value, Value.Check(both, value)]));
for (const [name, model] of Object.entries({
  Date: Type.Date(), bigint: Type.BigInt(), Uint8Array: Type.Uint8Array(), undefined: Type.Undefined(), RegExp: Type.RegExp(/^a$/),
})) {
  put(name, model, [], `there is no type "${name}"`);
}
put("relative", Type.Recursive((This) => Type.Object({ c: Type.Array(This) })), [[{ c: [{ c: [] }] }, true], [{ c: [1] }, false]]);
put("absolute", Type.Recursive((This) => Type.Object({ c: Type.Array(This) }), { $id: "https://example.com/tree" }), [[{ c: [{ c: [] }] }, true], [{ c: [1] }, false]]);
if (Value.Check(Type.String({ format: "uuid" }), "6fa459ea-ee8a-4ca4-894e-db77e160355e")) throw new Error("TypeBox knows formats");
