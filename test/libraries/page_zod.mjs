// Appended to the block of zod in docs/how-to/libraries.md: prints schemas, and documents
// with what the database must answer.

const put = (name, schema, cases, refused) => console.log(JSON.stringify({
  name: `zod.page.${name}`, schema, refused, cases: cases.map(([document, good]) => [JSON.stringify(document), good]),
}));
const throws = (what, make) => {
  try {
    make();
  } catch {
    return;
  }
  throw new Error(`${what}: no error`);
};

const order = { placed_at: new Date("2031-07-09T08:15:30.5Z"), valid_for: -1.5, price: "1.50", qty: 2 };
const document = z.encode(Order, order);
put("order", schema, [
  [document, true], [{ ...document, placed_at: "2031-07-09T10:15:30+02:00" }, true], [{ ...document, placed_at: "2031-07-09T08:15:30" }, false],
  [{ ...document, placed_at: 1 }, false], [{ ...document, price: "1.555" }, false], [{ ...document, price: 1.5 }, false],
  [{ ...document, qty: 0 }, false], [{ ...document, valid_for: "PT1S" }, false], [{ ...document, more: 1 }, true],
]);

const plain = z.object({ n: z.int().default(3) });
put("output", z.toJSONSchema(plain), [[plain.parse({ more: 1 }), true], [{}, false], [{ n: 1, more: 1 }, false]]);
put("input", z.toJSONSchema(plain, { io: "input" }), [[{}, true], [{ n: 1, more: 1 }, true]]);
throws("a date", () => z.toJSONSchema(z.date()));
throws("a bigint", () => z.toJSONSchema(z.bigint()));
throws("undefined", () => z.toJSONSchema(z.undefined()));
throws("a transform", () => z.toJSONSchema(z.string().transform((s) => s.length)));
put("refine", z.toJSONSchema(z.string().refine((s) => s === "x")), [["y", true]]);
const values = (name, model, ...texts) => put(name, z.toJSONSchema(model), texts.map((text) => [text, model.safeParse(text).success]));
put("duration", z.toJSONSchema(z.iso.duration()), [["PT1S", true], ["PT1.5S", false]]);
if (!z.iso.duration().safeParse("PT1.5S").success) throw new Error("zod takes no fraction any more");
values("local", z.iso.datetime({ local: true }), "2031-07-09T08:15:30", "2031-07-09T08:15:30Z", "yesterday");
values("time", z.iso.time(), "08:15:30", "08:15", "8", "25:00:00");
values("nanoid", z.nanoid(), "V1StGXR8_Z5jdHi6B-myT", "x y");
values("ulid", z.ulid(), "01ARZ3NDEKTSV4RRFFQ69G5FAV", "x");
values("base64", z.base64(), "YWJj", "x");
