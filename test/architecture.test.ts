import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from '@jest/globals';

// The one list of what may look at what. Each entry imports itself and what stands below it, nothing above.
const layers: string[][] = [
  ['(composition)'],
  ['erasure'],
  ['purchases'],
  ['orders'],
  ['licenseFiles'],
  ['activations'],
  ['lookups'],
  ['validation'],
  ['access'],
  ['usage'],
  ['statements'],
  ['sla'],
  ['productKeys'],
  ['pricing'],
  ['licenses'],
  ['grants'],
  ['licenseKeys'],
  ['lifecycle'],
  ['entitlements'],
  ['discounts'],
  ['wallets'],
  ['loginTokens'],
  ['catalog'],
  ['customers'],
  ['organizations'],
  ['slaDefinitions'],
  ['applications'],
  ['accounts'],
  ['events'],
  ['mail'],
  ['jobs'],
  ['graphql'],
  ['database'],
  ['kernel'],
  ['generated'],
];
const rank = new Map(layers.flatMap((names, index) => names.map((name) => [name, index] as const)));
const source = join(import.meta.dirname, '..', 'src');

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

const files = filesBelow(source)
  .map((path) => relative(source, path))
  .filter((path) => path.endsWith('.ts') && !path.startsWith('generated'));

function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s)?([^;]*?)from\s+'(\.[^']+)'/gms)].map((match) => ({
    from: file,
    to: normalize(join(dirname(file), match[3] as string)),
    typeOnly: match[1] !== undefined,
  }));
}

const imports = files.flatMap(importsOf);
const layerOf = (path: string) => (path.includes('/') ? (path.split('/')[0] as string) : '(composition)');
const text = ({ from, to }: Import) => `${from} -> ${to}`;

test('every folder has a place in the order', () => {
  expect([...new Set(files.map(layerOf))].filter((layer) => !rank.has(layer))).toEqual([]);
  expect(files.length).toBeGreaterThan(50);
});

test('everything looks down', () => {
  const upward = imports.filter(
    ({ from, to }) => (rank.get(layerOf(to)) as number) < (rank.get(layerOf(from)) as number),
  );
  // The generated types name what resolvers start from, and the toolkit's types name the contract: types only, no code.
  expect(upward.filter(({ typeOnly }) => !typeOnly).map(text)).toEqual([]);
  expect(upward.map(text)).toEqual([]);
});

test('only resolvers.ts and loaders.ts use the GraphQL toolkit, and only the composition uses them', () => {
  const features = layers
    .slice(
      1,
      layers.findIndex(([name]) => name === 'graphql'),
    )
    .flat();
  const wrongUsers = imports.filter(
    ({ from, to }) =>
      layerOf(to) === 'graphql' && features.includes(layerOf(from)) && !/\/(resolvers|loaders)\.ts$/.test(from),
  );
  const wrongReaders = imports.filter(
    ({ from, to }) => /^\w+\/(resolvers|loaders)\.js$/.test(to) && layerOf(from) !== '(composition)',
  );
  expect([...wrongUsers, ...wrongReaders].map(text)).toEqual([]);
});

test('resolvers never touch the database', () => {
  const adapters = files.filter((file) => file.endsWith('/resolvers.ts'));
  const touching = adapters.filter((file) =>
    /prisma\.|\.sql\(|inTransaction|inSqlTransaction/.test(readFileSync(join(source, file), 'utf8')),
  );
  expect(adapters.length).toBeGreaterThan(8);
  expect(touching).toEqual([]);
});

test('use cases and steps take types only from the contract, and use cases never call use cases', () => {
  const contract = imports.filter(
    ({ from, to, typeOnly }) => to === 'generated/graphql.js' && !typeOnly && from !== '',
  );
  expect(contract.map(text)).toEqual([]);
  const useCases = new Set(
    files.filter(
      (file) =>
        /await inTransaction|return inTransaction|inSqlTransaction\(\s*ctx/.test(
          readFileSync(join(source, file), 'utf8'),
        ) && !file.startsWith('kernel'),
    ),
  );
  const nested = imports.filter(({ from, to }) => useCases.has(from) && useCases.has(to.replace(/\.js$/, '.ts')));
  expect(useCases.size).toBeGreaterThan(10);
  expect(nested.map(text)).toEqual([]);
});

test('a mutation has one name: its field, its file, its function', () => {
  const schemaFolder = join(source, '..', 'schema');
  const sdl = readdirSync(schemaFolder)
    .map((name) => readFileSync(join(schemaFolder, name), 'utf8'))
    .join('\n');
  const mutations = [...sdl.matchAll(/extend type Mutation \{([\s\S]*?)\n\}/g)].flatMap((block) =>
    [...(block[1] as string).matchAll(/^ {2}(\w+)\(/gm)].map((field) => field[1] as string),
  );
  expect(mutations.length).toBeGreaterThan(20);
  const homeless = mutations.filter((name) => {
    const home = files.find((file) => file.endsWith(`/${name}.ts`));
    return !home || !readFileSync(join(source, home), 'utf8').includes(`export async function ${name}(`);
  });
  expect(homeless).toEqual([]);
});

test('no folder or file is a drawer for everything, and nothing is a default export', () => {
  expect(
    files.filter((file) =>
      /(^|\/)(utils?|helpers?|common|services?|repositor(y|ies)|types|misc|index)(\/|\.ts$)/i.test(file),
    ),
  ).toEqual([]);
  expect(files.filter((file) => /^export default/m.test(readFileSync(join(source, file), 'utf8')))).toEqual([]);
});

test('files stay readable: at most 250 lines', () => {
  const long = files.filter((file) => readFileSync(join(source, file), 'utf8').split('\n').length > 250);
  expect(long).toEqual([]);
});

test('money is never a floating-point number', () => {
  const floats = files.filter((file) =>
    /parseFloat|toFixed\(|Number\([^)]*([aA]mount|[mM]inor|[bB]alance)/.test(readFileSync(join(source, file), 'utf8')),
  );
  expect(floats).toEqual([]);
});
