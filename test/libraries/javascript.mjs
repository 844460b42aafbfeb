// zod's and TypeBox's models of the cases: prints the schema of each, and for
// each document whether the model accepts it.  The first argument is the folder
// with node_modules; standard input has the documents, as lines {"name", "documents"}.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.argv[2] + "/");
const { z } = require("zod");
const { Type } = require("@sinclair/typebox");
const { Value } = require("@sinclair/typebox/value");

const Account = z.object({ no: z.int() });
const Party = z.object({ name: z.string().min(1), accounts: z.array(Account) });
const Tree = z.object({ value: z.int(), get children() { return z.array(Tree); } });
const zod = {
  order: z.strictObject({
    id: z.uuid(),
    symbol: z.string().regex(/^[A-Z.]{1,8}$/),
    qty: z.int().positive().max(1_000_000).describe("how many"),
    price: z.number().min(0).nullish(),
    side: z.enum(["buy", "sell"]),
    tif: z.literal(["day", "gtc"]).default("day"),
    placed_at: z.iso.datetime({ offset: true }),
    settle: z.iso.date(),
    note: z.string().nullable().optional(),
    tags: z.array(z.string().max(3)).max(3).default([]),
    active: z.boolean().default(true),
  }),
  trade: z.object({
    parties: z.object({ buyer: Party, seller: Party }),
    legs: z.array(z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("cash"), amount: z.number().min(0) }),
      z.object({ kind: z.literal("stock"), symbol: z.string().min(1), shares: z.int().positive() }),
    ])).min(1),
    venue: z.record(z.string(), z.number()),
  }),
  tree: Tree,
  limits: z.object({
    short: z.string().min(2).max(5),
    ratio: z.number().min(0).lt(1),
    step: z.int().multipleOf(5),
    pair: z.tuple([z.string(), z.int()]),
    codes: z.record(z.string(), z.int()),
    literal: z.enum(["v1", "v2"]),
    either: z.union([z.int(), z.string()]),
    maybe: z.int().nullable(),
  }),
};

const Nullable = (type) => Type.Union([type, Type.Null()]);
const TParty = Type.Object({ name: Type.String({ minLength: 1 }), accounts: Type.Array(Type.Object({ no: Type.Integer() })) });
const typebox = {
  order: Type.Object({
    id: Type.String({ pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$" }),
    symbol: Type.String({ pattern: "^[A-Z.]{1,8}$" }),
    qty: Type.Integer({ exclusiveMinimum: 0, maximum: 1_000_000, description: "how many" }),
    price: Type.Optional(Nullable(Type.Number({ minimum: 0 }))),
    side: Type.Enum({ Buy: "buy", Sell: "sell" }),
    tif: Type.Optional(Type.Union([Type.Literal("day"), Type.Literal("gtc")], { default: "day" })),
    placed_at: Type.TemplateLiteral("2031-${string}Z"),
    settle: Type.TemplateLiteral("20${31|32}-${string}"),
    note: Type.Optional(Nullable(Type.String())),
    tags: Type.Optional(Type.Array(Type.String({ maxLength: 3 }), { maxItems: 3 })),
    active: Type.Optional(Type.Boolean({ default: true })),
  }, { additionalProperties: false }),
  trade: Type.Object({
    parties: Type.Object({ buyer: TParty, seller: TParty }),
    legs: Type.Array(Type.Union([
      Type.Object({ kind: Type.Literal("cash"), amount: Type.Number({ minimum: 0 }) }),
      Type.Object({ kind: Type.Literal("stock"), symbol: Type.String({ minLength: 1 }), shares: Type.Integer({ minimum: 1 }) }),
    ]), { minItems: 1 }),
    venue: Type.Record(Type.String(), Type.Number()),
  }),
  tree: Type.Recursive((This) => Type.Object({ value: Type.Integer(), children: Type.Array(This) }), { $id: "Tree" }),
  limits: Type.Object({
    short: Type.String({ minLength: 2, maxLength: 5 }),
    ratio: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    step: Type.Integer({ multipleOf: 5 }),
    pair: Type.Tuple([Type.String(), Type.Integer()]),
    codes: Type.Record(Type.String(), Type.Integer()),
    literal: Type.Union([Type.Literal("v1"), Type.Literal("v2")]),
    either: Type.Union([Type.Integer(), Type.String()]),
    maybe: Nullable(Type.Integer()),
  }),
};

const print = (name, schema, takes, documents) => console.log(JSON.stringify({
  name, schema, cases: documents.map((text) => [text, takes(JSON.parse(text))]),
}));

for await (const line of createInterface({ input: process.stdin })) {
  const { name, documents } = JSON.parse(line);
  for (const target of ["draft-2020-12", "draft-7"]) {
    print(`zod.${name}.${target}`, z.toJSONSchema(zod[name], { io: "input", target }),
      (value) => zod[name].safeParse(value).success, documents);
  }
  // its tuples are those of draft 7, and $schema is the user's to write
  print(`typebox.${name}`, { $schema: "http://json-schema.org/draft-07/schema#", ...typebox[name] },
    (value) => Value.Check(typebox[name], value), documents);
}
