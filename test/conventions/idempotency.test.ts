import { expect, test } from '@jest/globals';
import { useApi, type Answer } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newWorld, purchaseInput } from '../support/world.js';

const api = useApi();

const create = `mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id code } userErrors { code path } } }`;
const update = `mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { customer { id code version } userErrors { code path } } }`;

async function countCustomers(token: string): Promise<number> {
  return (await api.data({ token, query: '{ customers { totalCount } }' })).customers.totalCount;
}

const replayed = (answer: Answer): unknown =>
  answer.extensions.idempotency?.map((entry: { replayed: boolean }) => entry.replayed);

test('the same key and input give the same result with no second effect, whatever the order of fields and the selection', async () => {
  const { live } = await newBusiness(api);
  const first = await api.call({
    token: live,
    query: create,
    variables: { input: { code: 'A', firstName: 'Erika', idempotencyKey: 'k' } },
  });
  const again = await api.call({
    token: live,
    query:
      'mutation ($input: CreateCustomerInput!) { made: createCustomer(input: $input) { customer { id firstName } } }',
    variables: { input: { idempotencyKey: 'k', lastName: null, firstName: 'Erika', code: 'A' } },
  });
  expect([replayed(first), replayed(again)]).toEqual([[false], [true]]);
  expect(again.extensions.idempotency).toEqual([{ path: ['made'], replayed: true }]);
  expect(again.data.made.customer).toEqual({ id: first.data.createCustomer.customer.id, firstName: 'Erika' });
  expect(await countCustomers(live)).toBe(1);
});

test('64 duplicates at once take effect once, and all get that result', async () => {
  const { live } = await newBusiness(api);
  const answers = await Promise.all(
    Array.from({ length: 64 }, () =>
      api.call({ token: live, query: create, variables: { input: { code: 'A', idempotencyKey: 'k' } } }),
    ),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer.data))).size).toBe(1);
  expect(answers.filter((answer) => replayed(answer)?.toString() === 'false')).toHaveLength(1);
  expect(await countCustomers(live)).toBe(1);
});

test('anything else under the key is a conflict: 409 when it is the only mutation', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  await api.data({ token: live, query: create, variables: { input: { code: 'A', idempotencyKey: 'k' } } });
  const changed = await api.call({
    token: live,
    query: create,
    variables: { input: { code: 'B', idempotencyKey: 'k' } },
  });
  expect([changed.status, changed.errors?.[0]?.extensions.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  const other = await api.call({
    token: live,
    query: update,
    variables: { input: { customerId, code: 'A', idempotencyKey: 'k' } },
  });
  expect([other.status, other.errors?.[0]?.extensions.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  const two = await api.call({
    token: live,
    query:
      'mutation { a: createCustomer(input: { code: "B", idempotencyKey: "k" }) { customer { id } } b: createCustomer(input: { code: "C" }) { customer { code } } }',
  });
  expect([two.status, two.errors?.[0]?.path]).toEqual([200, ['a']]);
  expect(await countCustomers(live)).toBe(2);
});

test('in updates, and only there, absent and null are two things', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { code: 'A' });
  const first = await api.call({
    token: live,
    query: update,
    variables: { input: { customerId, firstName: 'E', idempotencyKey: 'k' } },
  });
  expect(first.data.updateCustomer.customer.code).toBe('A');
  const clearing = await api.call({
    token: live,
    query: update,
    variables: { input: { customerId, firstName: 'E', code: null, idempotencyKey: 'k' } },
  });
  expect(clearing.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_CONFLICT');
});

test('a refused attempt leaves the key free, and nobody is told that it was done', async () => {
  const { live } = await newBusiness(api);
  const call = { token: live, query: create, variables: { input: { email: 'nobody', idempotencyKey: 'k' } } };
  for (const answer of await Promise.all([api.call(call), api.call(call)])) {
    expect(answer.data.createCustomer).toEqual({
      customer: null,
      userErrors: [{ code: 'INVALID_INPUT', path: ['input', 'email'] }],
    });
    expect(answer.extensions.idempotency).toBeUndefined();
  }
  const mended = await api.call({
    token: live,
    query: create,
    variables: { input: { email: 'erika@example.com', idempotencyKey: 'k' } },
  });
  expect([replayed(mended), mended.data.createCustomer.userErrors]).toEqual([[false], []]);
});

test('the header does the same for one mutation, and only for one', async () => {
  const { live } = await newBusiness(api);
  for (const name of ['Idempotency-Key', 'X-Idempotency-Key']) {
    const call = {
      token: live,
      query: create,
      variables: { input: { code: name } },
      headers: { [name]: `by ${name}` },
    };
    const [first, again] = [await api.call(call), await api.call(call)];
    expect([replayed(first), replayed(again)]).toEqual([[false], [true]]);
  }
  const refusals = [
    await api.call({
      token: live,
      query:
        'mutation { a: createCustomer(input: {}) { customer { id } } b: createCustomer(input: {}) { customer { id } } }',
      headers: { 'idempotency-key': 'k' },
    }),
    await api.call({
      token: live,
      query: create,
      variables: { input: { idempotencyKey: 'other' } },
      headers: { 'idempotency-key': 'k' },
    }),
    await api.call({
      token: live,
      query: create,
      variables: { input: {} },
      headers: { 'idempotency-key': 'k', 'x-idempotency-key': 'other' },
    }),
    await api.call({
      token: live,
      query: create,
      variables: { input: {} },
      headers: { 'idempotency-key': 'k'.repeat(257) },
    }),
  ];
  expect(refusals.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(refusals.map(() => 'BAD_REQUEST'));
  expect(await countCustomers(live)).toBe(2);
});

test('a key has 1 to 256 characters and no control characters', async () => {
  const { live } = await newBusiness(api);
  const outcome = async (idempotencyKey: string) => {
    const answer = await api.call({ token: live, query: create, variables: { input: { idempotencyKey } } });
    return (
      answer.errors?.[0]?.extensions.code ??
      answer.data.createCustomer.userErrors.map((error: { path: string[] }) => error.path.join('.')).join()
    );
  };
  expect(await outcome('k'.repeat(256))).toBe('');
  expect(await outcome('k'.repeat(257))).toBe('input.idempotencyKey');
  expect(await outcome('')).toBe('input.idempotencyKey');
  expect(await outcome('a\nb')).toBe('input.idempotencyKey');
  expect(await outcome('a\u0000b')).toBe('BAD_USER_INPUT');
  expect(await countCustomers(live)).toBe(1);
});

test('tenants, modes and sessions do not share keys; two keys of one business do', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const sibling = await newApiKey(api, mine.live, ['CUSTOMERS_WRITE', 'CUSTOMERS_READ']);
  const answers = [];
  for (const token of [mine.live, mine.test, theirs.live, sibling]) {
    answers.push(
      await api.call({ token, query: create, variables: { input: { code: 'A', idempotencyKey: 'shared' } } }),
    );
  }
  expect(answers.map(replayed)).toEqual([[false], [false], [false], [true]]);
});

test('a key is forgotten after 24 hours when no money moved', async () => {
  const { live } = await newBusiness(api);
  const variables = { input: { firstName: 'Erika', idempotencyKey: 'k' } };
  api.setNow('2026-03-01T10:00:00.000Z');
  await api.data({ token: live, query: create, variables });
  api.setNow('2026-03-02T09:59:59.999Z');
  expect(replayed(await api.call({ token: live, query: create, variables }))).toEqual([true]);
  api.setNow('2026-03-02T10:00:00.000Z');
  expect(replayed(await api.call({ token: live, query: create, variables }))).toEqual([false]);
  api.setNow(null);
  expect(await countCustomers(live)).toBe(2);
});

test('a caller who may no longer is refused before anything is replayed', async () => {
  const { live } = await newBusiness(api);
  const variables = { input: { code: 'A', idempotencyKey: 'k' } };
  await api.data({ token: live, query: create, variables });
  const narrow = await newApiKey(api, live, ['CUSTOMERS_READ']);
  const customerId = await newCustomer(api, live);
  for (const token of [narrow, await newSession(api, live, customerId)]) {
    const answer = await api.call({ token, query: create, variables });
    expect([answer.errors?.[0]?.extensions.code, answer.data]).toEqual(['FORBIDDEN', null]);
  }
});

test('a retry is answered, not judged anew: what lay in the future then may lie in the past now', async () => {
  const { live } = await newBusiness(api);
  const call = {
    token: live,
    query: 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { token userErrors { code } } }',
    variables: {
      input: { name: 'Short', scopes: ['AUDIT_READ'], expiresAt: '2026-03-01T11:00:00Z', idempotencyKey: 'k' },
    },
  };
  api.setNow('2026-03-01T10:00:00.000Z');
  const first = await api.call(call);
  api.setNow('2026-03-01T12:00:00.000Z');
  const again = await api.call(call);
  api.setNow(null);
  expect([again.data, replayed(again)]).toEqual([first.data, [true]]);
});

test('one number is one input however it is written, and a default is what it stands for; another brand is another call', async () => {
  const { live, brandUrl } = await newBusiness(api);
  const world = await newWorld(api, live);
  const query = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) { order { id } userErrors { code } } }`;
  const input = purchaseInput(world, { idempotencyKey: 'k' });
  const first = await api.call({ token: live, query, variables: { input } });
  const again = await api.call({ token: live, query, variables: { input: { ...input, amount: 10, quantity: 1 } } });
  expect([again.data, replayed(again)]).toEqual([first.data, [true]]);
  const elsewhere = await api.call({ token: live, query, variables: { input }, headers: { 'brand-url': brandUrl } });
  expect(elsewhere.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_CONFLICT');
});
