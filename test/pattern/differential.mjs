// Compares src/pattern/pattern.h with the RegExp of node.
//
//	node differential.mjs [pairs [seed [share of patterns with back-references]]]
//
// Generates (pattern, string) pairs, the strings near matches, asks both, and
// prints every disagreement; exit status 1 if there is one.  test/pattern/run
// makes the functions that it calls, and starts it.
//
// Compared are:
//	- whether the pattern is valid with the "u" flag, to the letter;
//	- whether it compiles: all that is valid must, or be refused as
//	  unsupported (counted, by reason); what is not valid must not, unless
//	  leniency allows it, and then it must mean what it does without "u";
//	- whether it matches.

import { execFileSync } from 'node:child_process';
import vm from 'node:vm';

const wanted = Number(process.argv[2] ?? 100000);
let seed = Number(process.argv[3] ?? 1);
const referring = Number(process.argv[4] ?? 0.2);

// ---- random numbers that are the same everywhere (mulberry32)
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[below(list.length)];
const repeat = (n, f) => Array.from({ length: n }, f);

// ---- characters
const ALPHABET = ['a', 'b', 'c', 'A', 'Z', '0', '1', '9', '_', '-', '.', ' ', '@', '/',
  '\n', '\r', '\t', '\u00a0', 'é', 'ß', 'ſ', 'K', 'Ω', 'ш', '中', '\u2028', '\u2029',
  '\ufeff', '\u3000', '\u0085', '\u200b', '٣', '😀', '𝒳', '\u{10ffff}', '\ud7ff', '\ue000'];
const COMMON = ['a', 'b', 'c', '1', '-', 'A'];
const character = () => (chance(0.85) ? pick(COMMON) : pick(ALPHABET));

function escapeCode(c, inClass) {
  const code = c.codePointAt(0);
  const hex = code.toString(16);
  if (chance(0.04)) return `\\u{${hex}}`;
  if (chance(0.03) && code < 256) return `\\x${hex.padStart(2, '0')}`;
  if (chance(0.03)) return [...Array(c.length).keys()].map((i) => '\\u' + c.charCodeAt(i).toString(16).padStart(4, '0')).join('');
  if (inClass ? '\\]^-'.includes(c) : '^$\\.*+?()[]{}|'.includes(c)) return '\\' + c;
  if (c === '/' && chance(0.5)) return '\\/';
  if (c === '\n' && chance(0.5)) return '\\n';
  return c;
}

const CLASSES = ['\\d', '\\w', '\\s', '\\D', '\\W', '\\S'];
const PROPERTIES = ['\\p{L}', '\\P{L}', '\\p{Lu}', '\\p{Script=Greek}', '\\p{scx=Latin}', '\\p{Alphabetic}',
  '\\p{ASCII}', '\\P{ASCII}', '\\p{gc=Nd}', '\\p{Any}', '\\p{White_Space}', '\\p{Lowercase}', '\\p{Cn}', '\\p{Emoji}'];

// ---- patterns: {source, sample()}; sample gives a string that may match
function classNode() {
  if (chance(0.03)) return { source: '[]', sample: () => '' };
  if (chance(0.05)) return { source: '[^]', sample: () => pick(ALPHABET) };
  const negated = chance(0.2);
  const members = [];
  let body = '';
  for (let n = 1 + below(3); n > 0; n--) {
    const kind = random();
    if (kind < 0.2) {
      body += chance(0.8) ? pick(CLASSES) : pick(PROPERTIES);
    } else if (kind < 0.5) {
      let [low, high] = [pick(ALPHABET), pick(ALPHABET)];
      if (low.codePointAt(0) > high.codePointAt(0)) [low, high] = [high, low];
      members.push(low, high);
      body += escapeCode(low, true) + '-' + escapeCode(high, true);
    } else {
      const c = character();
      members.push(c);
      body += escapeCode(c, true);
    }
  }
  return {
    source: `[${negated ? '^' : ''}${body}]`,
    sample: () => (members.length > 0 && chance(0.8) ? pick(members) : character()),
  };
}

let groups; // of the pattern being made
function atom(depth) {
  const kind = random();
  if (kind < 0.45 || depth <= 0) {
    const c = character();
    return { source: escapeCode(c, false), sample: () => c };
  }
  if (kind < 0.52) return { source: '.', sample: character };
  if (kind < 0.62) return { source: chance(0.9) ? pick(CLASSES) : pick(PROPERTIES), sample: character };
  if (kind < 0.75) return classNode();
  const inner = () => disjunction(depth - 1);
  if (kind < 0.85) {
    groups++;
    const named = chance(0.1) ? `?<g${groups}>` : '';
    const number = groups;
    const node = inner();
    const sample = () => (captured[number] = node.sample().slice(0, 12));
    return { source: `(${named}${node.source})`, sample };
  }
  const node = inner();
  return { source: `(?:${node.source})`, sample: node.sample };
}

let captured = {};
let withReferences;
function term(depth) {
  const kind = random();
  if (kind < 0.05) return { source: '^', sample: () => '' };
  if (kind < 0.10) return { source: '$', sample: () => '' };
  if (kind < 0.14) return { source: chance(0.7) ? '\\b' : '\\B', sample: () => '' };
  if (kind < 0.22 && depth > 0) {
    const node = disjunction(depth - 1);
    return { source: `(?${pick(['=', '!', '<=', '<!'])}${node.source})`, sample: () => (chance(0.1) ? node.sample() : '') };
  }
  if (withReferences && kind < 0.32 && groups > 0) {
    const number = chance(0.9) ? 1 + below(groups) : 1;
    return { source: `(?:\\${number})`, sample: () => captured[number] ?? '' };
  }
  const node = atom(depth);
  if (chance(0.7)) return node;
  const min = below(3);
  const max = min + below(3);
  const [quantifier, low, high] = pick([['*', 0, 3], ['+', 1, 3], ['?', 0, 1], [`{${min}}`, min, min],
    [`{${min},}`, min, min + 2], [`{${min},${max}}`, min, max]]);
  return {
    source: node.source + quantifier + (chance(0.1) ? '?' : ''),
    sample: () => repeat(low + below(high - low + 1), node.sample).join(''),
  };
}

function sequence(depth) {
  const terms = repeat(chance(0.05) ? 0 : 1 + below(4), () => term(depth));
  return { source: terms.map((t) => t.source).join(''), sample: () => terms.map((t) => t.sample()).join('') };
}

function disjunction(depth) {
  const options = repeat(chance(0.75) ? 1 : 2 + below(2), () => sequence(depth));
  return { source: options.map((o) => o.source).join('|'), sample: () => pick(options).sample() };
}

function generated() {
  groups = 0;
  captured = {};
  withReferences = chance(referring);
  const node = disjunction(1 + below(3));
  const anchored = random();
  if (anchored < 0.3) return { source: `^(?:${node.source})$`, sample: node.sample };
  if (anchored < 0.45) return { source: `^${node.source}`, sample: node.sample };
  if (anchored < 0.6) return { source: `${node.source}$`, sample: node.sample };
  return node;
}

// a group, and references to it further on in the same sequence
function referringBack() {
  groups = 1;
  captured = {};
  withReferences = false;
  const inside = sequence(chance(0.3) ? 2 : 0);
  const group = { source: `(${inside.source})`, sample: () => (captured[1] = inside.sample().slice(0, 12)) };
  const reference = { source: '\\1', sample: () => captured[1] };
  const parts = [sequence(1), group];
  for (let n = 1 + below(3); n > 0; n--) {
    if (chance(0.6)) parts.push(sequence(chance(0.5) ? 2 : 0));
    const how = random();
    const other = sequence(0);
    if (how < 0.5) parts.push({ ...reference, source: '(?:\\1)' });
    else if (how < 0.65) parts.push({ source: `(?:${other.source}\\1)+`, sample: () => repeat(1 + below(2), () => other.sample() + captured[1]).join('') });
    else if (how < 0.8) parts.push({ source: `(?:${other.source}|\\1)`, sample: () => (chance(0.5) ? other.sample() : captured[1]) });
    else if (how < 0.9) parts.push({ source: '(?:\\1){2,3}', sample: () => captured[1].repeat(2 + below(2)) });
    else parts.push({ source: '(?:\\1)?', sample: () => (chance(0.5) ? captured[1] : '') });
  }
  if (chance(0.3)) parts.push({ source: '$', sample: () => '' });
  if (chance(0.3)) parts.unshift({ source: '^', sample: () => '' });
  // sampled in order: the group before what refers to it
  return { source: parts.map((p) => p.source).join(''), sample: () => parts.map((p) => p.sample()).join('') };
}

// a few literals of few letters, so that they overlap with themselves, in a string that is long enough to be searched
function literals() {
  const letters = pick([['a', 'b'], ['a', 'b', 'c'], ['é', 'è', 'a'], ['中', '😀', 'a'], ['a', 'A']]);
  const word = () => repeat(chance(0.1) ? below(40) : below(6), () => pick(letters)).join('');
  const words = repeat(1 + below(4), word);
  const optional = () => (chance(0.1) ? pick(['.*', 'a?', 'x*', '[^]*?', '(?:a|b)*']) : '');
  const term = (w) => {
    const source = [...w].map((c) => (chance(0.05) ? `[${c}${pick(letters)}]` : escapeCode(c, false) + (chance(0.03) ? pick(['?', '{2}', '{0,1}']) : ''))).join('');
    return optional() + (chance(0.2) ? '^' : '') + source + (chance(0.2) ? '$' : '') + optional();
  };
  const inner = words.map(term).join('|');
  const filler = () => repeat(below(chance(0.5) ? 80 : 6), () => (chance(0.9) ? pick(letters) : character())).join('');
  return {
    source: chance(0.8) ? inner : pick(['^', '', 'a']) + `(?:${inner})` + pick(['$', '', 'b']),
    sample: () => pick([filler, () => ''])() + (chance(0.7) ? pick(words) : '') + pick([filler, () => ''])(),
  };
}

// patterns as schemas have them, with strings that they accept
const REAL = [
  ['^[A-Z.]{1,8}$', 'BRK.B'],
  ['^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', 'd472103a-1234-4abc-9def-0123456789ab'],
  ['^-?\\d+(\\.\\d+)?$', '-12.50'],
  ['^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$', '+001.5'],
  ['^(?=.*[A-Z])(?=.*\\d).{8,}$', 'passworD1'],
  ['^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)(?=.*[^\\w\\s]).{8,20}$', 'passworD1!'],
  ['^[a-z0-9]+(?:-[a-z0-9]+)*$', 'a-slug-1'],
  ['^(?!-)[a-z0-9-]{1,63}(?<!-)$', 'host-1'],
  ['^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$', 'www.example.org'],
  ['^\\S+@\\S+\\.\\S+$', 'a@b.cc'],
  ['^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$', '#a0B1c2'],
  ['^(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?!$)|$)){4}$', '192.168.0.1'],
  ['^(?<year>\\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$', '2026-11-22'],
  ['(?<!\\d)\\d{4}(?!\\d)', 'a1234b'],
  ['^(["\']).*\\1$', '"quoted"'],
  ['^(\\w+)\\s\\1$', 'twice twice'],
  ['^((?!foo).)*$', 'bar fo o'],
  ['^(?!.*\\.\\.)(?!.*\\.$)[^\\W][\\w.]{0,29}$', 'user.name'],
  ['^\\p{Lu}\\p{Ll}*(?: \\p{Lu}\\p{Ll}*)*$', 'Ärzte Ohne'],
  ['^[^\\s]+$', 'a\u00a0b'],
  ['a|^b', 'b'], ['(^a|b)$', 'xb'], ['x*$y', 'y'], ['^$', ''], ['$^', ''], ['\\B', ''], ['\\b', 'a'],
  ['(?:\\b|x)+a', 'xa'], ['(?<=^|,)a(?=,|$)', 'b,a,c'], ['(?<=a)(?<!ba)c', 'xac'],
  ['(?<=(?<!a)b)c', 'bc'], ['(?=(?!ab)a)\\w+$', 'ac'], ['^(?:a?){3}a{3}$', 'aaa'],
  ['(?=a\\b)a', 'a b'], ['(?!a\\B)a$', 'a'], ['(?<=\\bab)c', 'abc'], ['(?<=a$)', 'a'],
  ['^(a+)+$', 'aaaa'], ['(a|b)*a(a|b){9}$', 'abaaababbab'], ['[a-c]{2}\\b[^a]', 'ab-'],
];

// what may or may not be a pattern: pieces put together without regard
const PIECES = ['a', 'b', '1', '(', ')', '[', ']', '{', '}', '*', '+', '?', '|', '^', '$', '.', '-', ',', '\\',
  '(?:', '(?=', '(?!', '(?<=', '(?<!', '(?<a>', '(?<b>', '(?<', '(?<\\u0061>', '(?', '(?i:', '\\1', '\\2', '\\0', '\\00', '\\k', '\\k<a>', '\\k<c>',
  '\\d', '\\w', '\\W', '\\b', '\\B', '\\c', '\\ca', '\\x', '\\x4', '\\x41', '\\u', '\\u004', '\\u0041', '\\u{61}', '\\u{110000}',
  '\\u{}', '\\ud83d', '\\ude00', '\\ud83d\\ude00', '\\-', '\\_', '\\@', '\\"', '\\ ', '\\/', '\\a', '\\Z', '\\A', '\\h', '\\e', '\\é',
  '\\p{L}', '\\p{Lu', '\\p{Foo}', '\\p{gc=L}', '\\p{Script=Latn}', '\\p{Script=}', '\\p', '\\pL', '\\P{ASCII}', '\\p{L=L}', '\\p{ASCII=Y}',
  '{1}', '{1,}', '{1,2}', '{2,1}', '{,2}', '{1', '[a-z]', '[z-a]', '[\\w-a]', '[a-\\w]', '[\\d-]', '[\\b]', '[\\B]', '[^', 'é', '😀', ' ', '\n', '<', '>', '='];

function mutated(string, limit) {
  const codes = [...string];
  for (let n = below(3); n > 0; n--) {
    const at = below(codes.length + 1);
    const kind = random();
    if (kind < 0.35) codes.splice(at, 0, character());
    else if (kind < 0.65) codes.splice(at, 1);
    else if (kind < 0.9) codes.splice(at, 1, character());
    else codes.splice(at, codes.length);
  }
  return codes.slice(0, limit).join('');
}

// The meaning of a pattern that only leniency allows; null: not to be compared,
// because these escapes mean something else without "u".
function lenientlyMeant(source) {
  if (/\\[pP]|\\u\{|\\u[dD]|\\k/.test(source)) return null;
  try { return new RegExp(source); } catch { return null; }
}

// Node backtracks, which can take very long: null if it takes too long.
const sandbox = vm.createContext({});
const script = new vm.Script('regexp.exec(string)');
function execute(regexp, string) {
  if ((regexp.source.match(/[*+{]/g)?.length ?? 0) < 3) return { match: regexp.exec(string) };
  Object.assign(sandbox, { regexp, string });
  try {
    return { match: script.runInContext(sandbox, { timeout: 100 }) };
  } catch {
    return null;
  }
}

// ---- all cases
const patterns = [];
const cases = [];
while (cases.length < wanted) {
  const kind = random();
  let source;
  let sample;
  let limit = 40;
  if (kind < 0.12) {
    const [real, example] = pick(REAL);
    source = real;
    sample = () => example;
  } else if (kind < 0.22) {
    ({ source, sample } = literals());
    limit = 200;
  } else if (kind < 0.40) {
    source = repeat(1 + below(6), () => pick(PIECES)).join('');
    sample = () => repeat(below(6), character).join('');
  } else {
    ({ source, sample } = chance(referring / 4) ? referringBack() : generated());
  }
  let regexp = null;
  try { regexp = new RegExp(source, 'u'); } catch { /* not valid */ }
  const id = patterns.length;
  patterns.push({ source, valid: regexp !== null });
  const without = regexp ?? lenientlyMeant(source);
  const count = regexp ? 12 : without ? 3 : 0;
  if (count === 0) continue;
  for (let i = 0; i < count; i++) {
    let string = chance(0.9) ? mutated(sample(), limit) : repeat(below(8), character).join('');
    if (chance(0.15)) string = repeat(below(5), character).join('') + string;
    string = string.replaceAll('\0', '').toWellFormed?.() ?? string;
    if (string.includes('\ufffd')) continue;
    // without "u", only strings of one unit a character mean the same
    if (!regexp && /[^\0-\uffff]/u.test(string + source)) continue;
    const answered = execute(without, string);
    if (!answered) break;
    const match = answered.match;
    // V8 finds empty matches between the halves of a surrogate pair, where
    // no search of ECMA-262 begins (section 22.2.7.2, AdvanceStringIndex)
    if (regexp && match && /[\ud800-\udbff]$/.test(string.slice(0, match.index))) continue;
    cases.push({ id, string, expected: match !== null });
  }
}

// ---- ask the other side
const copyText = (s) => s.replace(/[\\\n\r\t]/g, (c) => ({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' })[c]);
const sql = [
  "\\set ON_ERROR_STOP on",
  "SET client_encoding = 'UTF8';",
  'CREATE TEMP TABLE p (id int, pattern text, valid boolean);',
  'CREATE TEMP TABLE c (id int, string text, expected boolean);',
  'COPY p FROM STDIN;',
  ...patterns.map((p, id) => `${id}\t${copyText(p.source)}\t${p.valid}`), '\\.',
  'COPY c FROM STDIN;',
  ...cases.map((c) => `${c.id}\t${copyText(c.string)}\t${c.expected}`), '\\.',
  'CREATE TEMP TABLE q AS SELECT id, pattern, valid, pattern_valid(pattern) AS our_valid, pattern_error(pattern) AS error FROM p;',
  'ANALYZE q; ANALYZE c;',
  `SELECT json_build_object('what', 'valid', 'pattern', pattern, 'node', valid, 'ours', our_valid)
   FROM q WHERE valid <> our_valid;`,
  `SELECT json_build_object('what', 'compiles', 'pattern', pattern, 'error', error)
   FROM q WHERE valid AND error IS NOT NULL AND error NOT LIKE 'unsupported: %';`,
  `SELECT json_build_object('what', 'match', 'pattern', pattern, 'string', string, 'node', expected, 'ours', ours)
   FROM (SELECT q.id, q.pattern, c.string, c.expected, pattern_test(q.pattern, c.string) AS ours
         FROM q JOIN c USING (id) WHERE error IS NULL ORDER BY q.id OFFSET 0) AS m
   WHERE ours IS DISTINCT FROM expected;`,
  `SELECT json_build_object('count', reason, 'patterns', count(*))
   FROM (SELECT CASE WHEN error IS NULL AND NOT valid THEN 'leniently compiled'
                     WHEN error IS NULL THEN 'compiled'
                     WHEN NOT valid THEN 'not valid'
                     ELSE regexp_replace(error, '^unsupported: \\d+: ', 'unsupported: ') END AS reason
         FROM q) AS r GROUP BY reason ORDER BY count(*) DESC;`,
  `SELECT json_build_object('count', 'run by ' || regexp_replace(kind, '\\d+', 'n', 'g'), 'patterns', count(*))
   FROM (SELECT (pattern_time(pattern, '', 1)).kind FROM q WHERE error IS NULL) AS k
   GROUP BY regexp_replace(kind, '\\d+', 'n', 'g') ORDER BY count(*) DESC LIMIT 8;`,
].join('\n') + '\n';

const answer = execFileSync('psql', ['-X', '-q', '-A', '-t', '-f', '-'], { input: sql, encoding: 'utf8', maxBuffer: 1 << 30 });
let disagreements = 0;
for (const line of answer.split('\n').filter(Boolean)) {
  const row = JSON.parse(line);
  if (row.what) {
    disagreements++;
    if (disagreements <= 40) console.log(JSON.stringify(row));
  } else {
    console.log(`${String(row.patterns).padStart(8)}  ${row.count}`);
  }
}
console.log(`${cases.length} pairs, ${patterns.length} patterns, ${disagreements} disagreements`);
process.exit(disagreements > 0 ? 1 : 0);
