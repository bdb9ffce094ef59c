import { expect, test } from '@jest/globals';
import { verifyLicenseFile } from '../../sdk/src/index.js';
import { forgetLicenseFileHolds } from '../../src/licenseFiles/forgetLicenseFileHolds.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { activated, newLicensedKey, onDevice, validate } from '../support/keys.js';
import { changeLicense, rowId } from '../support/licenses.js';
import { claimsOf, fileOf, keySet, revokedKeys } from '../support/licenseFiles.js';

const api = useApi();
const DAY = 86_400_000;
const change = (token: string, mutation: string, input: object) =>
  api.data({
    token,
    query: `mutation ($input: ${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { userErrors { message } } }`,
    variables: { input },
  });

/** The list as a program has it that starts from nothing, and its version. */
async function listed(business: TestBusiness): Promise<{ version: string; entries: string[] }> {
  const page = await revokedKeys(api, business);
  const { revoked, restored, since, complete, version } = claimsOf(page.list);
  expect([restored, since, complete, version]).toEqual([[], '0', true, page.version]);
  return { version, entries: (revoked as string[]).toSorted() };
}

const entriesOf = (file: string): string[] => claimsOf(file).revocation.entries;
/** What the list calls the file's key. */
const keyEntry = (file: string): string[] => entriesOf(file).slice(0, 1);

test('the list: every field, one more version for each change, and what came and went since one', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const [a, b] = [await newLicensedKey(api, live), await newLicensedKey(api, live)];
  const unheld = await newLicensedKey(api, live);
  const [ofA, ofB] = [
    await fileOf(api, business, { key: a.key, fingerprint: 'd' }),
    await fileOf(api, business, { key: b.key, fingerprint: 'd' }),
  ];
  const empty = await revokedKeys(api, business);
  expect([empty.since, empty.version, empty.complete]).toEqual(['0', '0', true]);
  for (const { licenseKeyId } of [a, unheld]) await change(live, 'disableLicenseKey', { licenseKeyId });
  const first = await revokedKeys(api, business);
  expect(first).toEqual({
    list: expect.any(String),
    since: '0',
    version: '1',
    complete: true,
    issuedAt: expect.any(String),
  });
  expect(claimsOf(first.list)).toEqual({
    ...{
      iss: business.id,
      iat: Math.floor(Date.parse(first.issuedAt) / 1000),
      testMode: false,
      issuedAt: first.issuedAt,
    },
    ...{ since: '0', version: '1', complete: true, revoked: keyEntry(ofA), restored: [] },
  });
  await changeLicense(api, live, 'pause', b.licenseId);
  await change(live, 'enableLicenseKey', { licenseKeyId: a.licenseKeyId });
  const since = async (version: string) => {
    const { revoked, restored, ...page } = claimsOf((await revokedKeys(api, business, { since: version })).list);
    return [page.since, page.version, revoked, restored];
  };
  expect(await since('1')).toEqual(['1', '3', keyEntry(ofB), keyEntry(ofA)]);
  expect(await since('3')).toEqual(['3', '3', [], []]);
  for (const beyond of ['0', '-1', '4', '9000000000000000000']) {
    expect(await since(beyond)).toEqual(['0', '3', keyEntry(ofB), []]);
  }
  expect((await listed(business)).version).toBe('3');
  const later = await fileOf(api, business, { key: a.key, fingerprint: 'd' });
  expect(claimsOf(later).revocation.listVersion).toBe('3');
});

test('listed is exactly what validateLicenseKey would not let run, while a file of it is good', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const at = (days: number) => new Date(Date.parse('2026-05-10T00:00:00Z') + days * DAY).toISOString();
  api.setNow('2026-05-01T00:00:00.000Z');
  const keys = await Promise.all(
    Array.from({ length: 12 }, () => newLicensedKey(api, live, { licenseKey: { activationsLimit: 3 } })),
  );
  const [fine, disabled, cancelled, paused, blocked, scheduled, expiring, freed, leased, lowered, renewed, shortened] =
    keys as [(typeof keys)[0], ...typeof keys];
  api.setNow(at(0));
  const files = new Map<string, string>();
  for (const { key } of keys) {
    for (const fingerprint of ['first', 'second']) {
      const leaseSeconds = key === leased!.key && fingerprint === 'second' ? 86_400 * 20 : undefined;
      await activated(api, business, { key, fingerprint, leaseSeconds });
      files.set(`${key} ${fingerprint}`, await fileOf(api, business, { key, fingerprint, ttl: 30 * 86_400 }));
    }
  }
  /** Whether each device's entry is listed, against what a check answers at this moment. */
  const compared = async () => {
    const { entries } = await listed(business);
    const inputs = [...files.keys()].map((name) => ({ key: name.split(' ')[0], fingerprint: name.split(' ')[1] }));
    const { answers } = await api.data({
      query: 'query ($inputs: [ValidateLicenseKeyInput!]!) { answers: validateLicenseKeys(inputs: $inputs) { valid } }',
      variables: { inputs },
      headers: { 'brand-url': business.brandUrl },
    });
    const seen = [...files].map(([name, file]) => [name, entriesOf(file).some((entry) => entries.includes(entry))]);
    const isGood = (file: string) => Date.parse(claimsOf(file).graceUntil) > api.now().getTime();
    expect(seen).toEqual([...files].map(([name, file], i) => [name, !answers[i].valid && isGood(file)]));
    return entries.length;
  };
  expect(await compared()).toBe(0);
  await change(live, 'disableLicenseKey', { licenseKeyId: disabled!.licenseKeyId });
  await changeLicense(api, live, 'cancel', cancelled!.licenseId);
  await changeLicense(api, live, 'pause', paused!.licenseId);
  await changeLicense(api, live, 'block', blocked!.licenseId);
  await changeLicense(api, live, 'cancel', scheduled!.licenseId, { at: at(2) });
  await change(live, 'updateLicenseKey', { licenseKeyId: expiring!.licenseKeyId, expiresAt: at(3) });
  await onDevice(api, business, 'deactivateLicenseKey', { key: freed!.key, fingerprint: 'second' });
  await change(live, 'updateLicenseKey', { licenseKeyId: lowered!.licenseKeyId, activationsLimit: 1 });
  await change(live, 'disableLicenseKey', { licenseKeyId: renewed!.licenseKeyId });
  await api.db.sql(null, 'UPDATE licenses SET valid_until = $2 WHERE id = $1', [
    rowId(shortened!.licenseId),
    new Date(at(1)),
  ]);
  await api.db.sql(null, 'UPDATE activations SET lease_until = $1 WHERE lease_seconds IS NOT NULL', [new Date(at(4))]);
  const counts = [];
  const versions = [];
  for (const day of [0, 1, 2, 3, 4]) {
    api.setNow(at(day));
    counts.push(await compared());
    versions.push(Number((await listed(business)).version));
  }
  expect([counts, versions]).toEqual([
    [7, 8, 9, 10, 11],
    [7, 8, 9, 10, 11],
  ]);
  await change(live, 'enableLicenseKey', { licenseKeyId: renewed!.licenseKeyId });
  await changeLicense(api, live, 'resume', paused!.licenseId);
  expect([await compared(), (await listed(business)).version]).toEqual([9, '13']);
  api.setNow(at(37));
  expect([await compared(), (await listed(business)).version]).toEqual([0, '22']);
  expect((await validate(api, business, { key: fine.key, fingerprint: 'first' })).valid).toBe(true);
  api.setNow(null);
});

test('a device without an activation is listed when it would need one, was freed, or its text was replaced; others run on', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const keys = await Promise.all(Array.from({ length: 4 }, () => newLicensedKey(api, live)));
  const [limited, freed, replaced, replacing] = keys as [(typeof keys)[0], ...typeof keys];
  const graceUntil = new Date(Date.now() + DAY).toISOString();
  const files = new Map<string, string>();
  const checkedOut = async ({ key }: { key: string }, fingerprint: string, of = key) =>
    files.set(`${of} ${fingerprint}`, await fileOf(api, business, { key, fingerprint }));
  for (const key of keys) for (const fingerprint of ['one', 'two']) await checkedOut(key, fingerprint);
  await activated(api, business, { key: replaced!.key, fingerprint: 'seated' });
  await checkedOut(replaced!, 'seated');
  const listedFiles = async () => {
    const { entries } = await listed(business);
    return [...files].filter(([, file]) => entriesOf(file).some((one) => entries.includes(one))).map(([name]) => name);
  };
  expect(await listedFiles()).toEqual([]);
  // One of two devices takes the one seat that there is from now on.
  await activated(api, business, { key: limited.key, fingerprint: 'two' });
  await change(live, 'updateLicenseKey', { licenseKeyId: limited.licenseKeyId, activationsLimit: 1 });
  await activated(api, business, { key: freed!.key, fingerprint: 'one' });
  await onDevice(api, business, 'deactivateLicenseKey', { key: freed!.key, fingerprint: 'one' });
  await change(live, 'rotateLicenseKey', { licenseKeyId: replaced!.licenseKeyId, key: 'its second text' });
  await checkedOut({ key: 'its second text' }, 'one', 'second');
  await change(live, 'rotateLicenseKey', { licenseKeyId: replacing!.licenseKeyId, graceUntil });
  const gone = [`${limited.key} one`, `${freed!.key} one`, `${replaced!.key} one`, `${replaced!.key} two`];
  expect((await listedFiles()).toSorted()).toEqual(gone.toSorted());
  // What the list says is what a check says of the same text; who was activated keeps its seat when the text is replaced.
  for (const name of files.keys()) {
    const [text, fingerprint] = name.split(' ') as [string, string];
    const key = text === 'second' || fingerprint === 'seated' ? 'its second text' : text;
    const { valid } = await validate(api, business, { key, fingerprint });
    expect([name, valid]).toEqual([name, !gone.includes(name)]);
  }
  api.setNow(graceUntil);
  expect((await listedFiles()).toSorted()).toEqual(
    [...gone, `${replacing!.key} one`, `${replacing!.key} two`].toSorted(),
  );
  api.setNow(null);
  // Back from the list with what took it there.
  await change(live, 'updateLicenseKey', { licenseKeyId: limited.licenseKeyId, activationsLimit: null });
  await activated(api, business, { key: freed!.key, fingerprint: 'one' });
  expect((await listedFiles()).toSorted()).toEqual(gone.slice(2).toSorted());
});

test('many ask and change at once: a version is never two lists, and never goes back', async () => {
  const business = await newBusiness(api);
  const keys = await Promise.all(Array.from({ length: 8 }, () => newLicensedKey(api, business.live)));
  const entries = await Promise.all(
    keys.map(async ({ key }) => keyEntry(await fileOf(api, business, { key, fingerprint: 'd' }))),
  );
  const seen = new Map<string, string>();
  const look = async () => {
    const { version, entries: list } = await listed(business);
    expect(seen.get(version) ?? list.join()).toBe(list.join());
    seen.set(version, list.join());
    return BigInt(version);
  };
  await Promise.all(
    keys.map(async ({ licenseKeyId }, i) => {
      await change(business.live, 'disableLicenseKey', { licenseKeyId });
      let before = await look();
      if (i % 2) await change(business.live, 'enableLicenseKey', { licenseKeyId });
      for (let round = 0; round < 3; round++) {
        const version = await look();
        expect(version).toBeGreaterThanOrEqual(before);
        before = version;
      }
    }),
  );
  const { version, entries: list } = await listed(business);
  expect([version, list]).toEqual([
    '12',
    entries
      .filter((_, i) => i % 2 === 0)
      .flat()
      .sort(),
  ]);
});

test('a list of more than a page comes in parts that lead to the same list', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await newLicensedKey(api, business.live);
  const file = await fileOf(api, business, { key, fingerprint: 'd' });
  const tenant = [rowId(business.id)];
  await revokedKeys(api, business);
  // Keys with good files that are not usable, as the list itself would have written them.
  await api.db.sql(
    null,
    `WITH made AS (INSERT INTO license_keys (business_id, mode, id, customer_id, key_ciphertext, last4, source, status, disabled_at, created_at, updated_at)
        SELECT k.business_id, k.mode, gen_random_uuid(), k.customer_id, k.key_ciphertext, k.last4, k.source, 'DISABLED', k.created_at, k.created_at, k.created_at
          FROM license_keys k, generate_series(1, 2001) WHERE k.business_id = $1 RETURNING business_id, mode, id)
      INSERT INTO license_file_holds SELECT business_id, mode, id, id, '2999-01-01' FROM made`,
    tenant,
  );
  // As the database does by itself within a minute.
  await api.db.sql(null, 'ANALYZE license_keys, license_file_holds', []);
  const first = await revokedKeys(api, business);
  expect([first.complete, first.version, claimsOf(first.list).revoked.length]).toEqual([false, '2000', 2000]);
  const rest = await revokedKeys(api, business, { since: first.version });
  expect([rest.complete, rest.since, rest.version, claimsOf(rest.list).revoked.length]).toEqual([
    true,
    '2000',
    '2001',
    1,
  ]);
  expect(first.list.length).toBeLessThan(200_000);
  const jwks = await keySet(api, business);
  const check = async (...revocationList: string[]) =>
    (await verifyLicenseFile({ file, jwks, fingerprint: 'd', revocationList })).reason;
  expect([await check(first.list), await check(first.list, rest.list)]).toEqual(['REVOCATION_LIST_INVALID', null]);
  await change(business.live, 'disableLicenseKey', { licenseKeyId });
  const after = await revokedKeys(api, business, { since: rest.version });
  expect(await check(first.list, rest.list, after.list)).toBe('REVOKED');
});

test("a list is one business's and one mode's; who may ask, and what a token may not ask for", async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const inTest = await newLicensedKey(api, mine.test);
  const file = await fileOf(api, mine, { key: inTest.key, fingerprint: 'd', testMode: true });
  await change(mine.test, 'disableLicenseKey', { licenseKeyId: inTest.licenseKeyId });
  const list = async (business: TestBusiness, testMode: boolean) =>
    claimsOf((await revokedKeys(api, business, { testMode })).list).revoked;
  expect([await list(mine, true), await list(mine, false), await list(theirs, true)]).toEqual([keyEntry(file), [], []]);
  for (const since of ['9223372036854775808', '-9223372036854775809', 2 ** 53]) {
    const headers = { 'brand-url': mine.brandUrl };
    const beyond = { query: 'query ($since: BigInt) { revokedLicenseKeys(since: $since) { version } }', headers };
    const { errors } = await api.call({ ...beyond, variables: { since } });
    expect([since, errors?.[0]?.extensions.code]).toEqual([since, 'BAD_USER_INPUT']);
  }
  const query = 'query ($testMode: Boolean) { revokedLicenseKeys(testMode: $testMode) { version } }';
  const session = await newSession(api, mine.test, await newCustomer(api, mine.test));
  const narrow = await newApiKey(api, mine.test, ['AUDIT_READ']);
  for (const token of [session, narrow]) {
    expect((await api.data({ token, query })).revokedLicenseKeys).toEqual({ version: '1' });
    const other = await api.call({ token, query, variables: { testMode: false } });
    expect([other.data, other.errors?.[0]?.extensions.code]).toEqual([{ revokedLicenseKeys: null }, 'BAD_USER_INPUT']);
  }
  const nowhere = await api.call({ query });
  expect([nowhere.data, nowhere.errors?.[0]?.extensions.code]).toEqual([
    { revokedLicenseKeys: null },
    'BRAND_NOT_FOUND',
  ]);
});

test('a key that works again and is checked out leaves the list with its file', async () => {
  const business = await newBusiness(api);
  const { key, licenseId } = await newLicensedKey(api, business.live);
  await fileOf(api, business, { key, fingerprint: 'd' });
  await changeLicense(api, business.live, 'pause', licenseId);
  expect((await listed(business)).version).toBe('1');
  await changeLicense(api, business.live, 'resume', licenseId);
  const file = await fileOf(api, business, { key, fingerprint: 'd' });
  expect([claimsOf(file).revocation.listVersion, await listed(business)]).toEqual(['2', { version: '2', entries: [] }]);
});

test('a day after its grace the note of a file is gone, and the list is what it was', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await newLicensedKey(api, business.live);
  const ends = ['one', 'two'].map(async (fingerprint, i) => {
    const file = await fileOf(api, business, { key, fingerprint, ttl: 3_600 + i * 86_400 });
    return Date.parse(claimsOf(file).graceUntil);
  });
  const [first, second] = (await Promise.all(ends)) as [number, number];
  await change(business.live, 'disableLicenseKey', { licenseKeyId });
  const before = await listed(business);
  const left = async (at: number) => {
    const parts = { db: api.db, clock: () => new Date(at), keyring: undefined as never, mailFolder: null };
    await forgetLicenseFileHolds(parts);
    const text = 'SELECT FROM license_file_holds WHERE license_key_id = $1';
    return (await api.db.sql(null, text, [rowId(licenseKeyId)])).length;
  };
  // Two devices and the key's text, which the later file needs, too.
  expect([await left(first + DAY - 1), await left(first + DAY)]).toEqual([3, 2]);
  expect(await listed(business)).toEqual(before);
  expect(await left(second + DAY)).toBe(0);
});
