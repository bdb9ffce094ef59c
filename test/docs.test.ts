import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import { readyText } from '../src/readyText.js';
import { readContract } from '../src/schema.js';

const root = join(import.meta.dirname, '..');
const files = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'sdk/README.md', 'docs/architecture.md', 'docs/operations.md'],
  'docs/check-a-key.md',
  'docs/meter-a-product.md',
  'docs/performance.md',
  'bench/README.md',
  ...readdirSync(join(root, 'docs/decisions')).map((name) => `docs/decisions/${name}`),
];
const texts = files.map((file) => [file, readFileSync(join(root, file), 'utf8')] as const);

test('every operation in the documents is valid', () => {
  const operations = texts.flatMap(([file, text]) =>
    [...text.matchAll(/^```graphql\n([\s\S]*?)^```/gm)].map((block) => [file, block[1] as string] as const),
  );
  expect(operations.length).toBeGreaterThan(3);
  const schema = readContract();
  for (const [file, operation] of operations) {
    expect([file, validate(schema, parse(operation)).map(({ message }) => message)]).toEqual([file, []]);
  }
});

test('every file that a document links to is there', () => {
  const links = texts.flatMap(([file, text]) =>
    [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((link) => join(dirname(file), link[1] as string)),
  );
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('the documents name commands that exist, and the README names all of them', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const known = Object.keys(scripts).filter((name) => !/^(prepare$|pre)/.test(name));
  const named = (text: string) =>
    [...text.matchAll(/(?:`|^|&& )npm (?:run (?:--silent )?)?([a-z][\w:]*)/gm)].map((m) => m[1] as string);
  const unknown = texts.flatMap(([, text]) => named(text)).filter((name) => !known.includes(name));
  expect(unknown.filter((name) => !['ci', 'install'].includes(name))).toEqual([]);
  expect(known.filter((name) => !named(texts[0]?.[1] ?? '').includes(name))).toEqual([]);
});

test('a server that started tells where it is, and where the keys are', () => {
  const address = 'http://127.0.0.1:4000';
  expect(readyText({ address, playground: true, demoFile: '.data/demo.json' })).toBe(`
Latchkey is ready.
  GraphQL   http://127.0.0.1:4000/graphql  (Apollo Sandbox, in a browser)
  GraphiQL  http://127.0.0.1:4000/graphiql  (needs no internet)
  API keys  .data/demo.json  (a demo vendor's; try: npm run demo)

`);
  expect(readyText({ address, playground: false, demoFile: null })).toBe(`
Latchkey is ready.
  GraphQL   http://127.0.0.1:4000/graphql

`);
});
