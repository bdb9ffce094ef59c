import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProductOffering } from '../support/catalog.js';
import { newLicense, rowId } from '../support/licenses.js';
import { newWorld } from '../support/world.js';

const api = useApi();

interface Row {
  id: string;
  status: string;
  type: string;
  validFrom: string;
  validUntil: string | null;
  tags: string[];
  productOffering: { id: string } | null;
}

const query = `query ($first: Int, $after: String, $last: Int, $before: String, $where: LicenseWhere, $orderBy: LicenseOrder) {
  licenses(first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $orderBy) {
    nodes { id status type validFrom validUntil tags productOffering { id } } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

/** All rows of a list, read in pages of three, forward or backward. */
async function all(token: string, args: Record<string, unknown>, backward = false): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | null = null; ;) {
    const page = backward ? { last: 3, before: cursor } : { first: 3, after: cursor };
    const { licenses } = await api.data({ token, query, variables: { ...args, ...page } });
    if (backward) rows.unshift(...licenses.nodes);
    else rows.push(...licenses.nodes);
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = licenses.pageInfo;
    if (!(backward ? hasPreviousPage : hasNextPage)) {
      expect(licenses.totalCount).toBe(rows.length);
      return rows;
    }
    cursor = backward ? startCursor : endCursor;
  }
}

const idsOf = (rows: Row[]) => rows.map(({ id }) => id);

test('pages by status, type, offering and start hold what is due as well as what is written, without gaps or repeats', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const [first, second] = [
    await newProductOffering(api, live, { licenseType: 'one' }),
    await newProductOffering(api, live, { licenseType: 'two' }),
  ];
  api.setNow('2026-03-01T10:00:00.000Z');
  for (let i = 0; i < 24; i++) {
    const activationDate = i % 4 === 3 ? `2026-03-${i % 8 === 3 ? '02' : '20'}` : undefined;
    const licenseId = await newLicense(api, live, {
      customerId,
      productOfferingId: i % 2 ? first : second,
      activationDate,
    });
    if (i % 4 === 1)
      await api.data({
        token: live,
        query: 'mutation ($input: PauseLicenseInput!) { pauseLicense(input: $input) { userErrors { message } } }',
        variables: { input: { licenseId, at: i % 8 === 1 ? '2026-03-05T00:00:00Z' : '2026-03-25T00:00:00Z' } },
      });
    if (i % 6 === 0)
      await api.db.sql(null, 'UPDATE licenses SET pending_offering_id = $2, pending_offering_at = $3 WHERE id = $1', [
        ...[rowId(licenseId), rowId(first), i % 12 ? '2026-03-08T00:00:00Z' : '2026-03-30T00:00:00Z'],
      ]);
  }
  // No worker runs: what came true by now is written nowhere.
  api.setNow('2026-03-10T00:00:00.000Z');
  const orders = [undefined, { field: 'VALID_FROM', direction: 'ASC' }, { field: 'VALID_UNTIL', direction: 'DESC' }];
  for (const orderBy of orders) {
    const rows = await all(live, { orderBy });
    expect(new Set(idsOf(rows)).size).toBe(24);
    expect([...new Set(rows.map(({ status }) => status))].sort()).toEqual(['ACTIVE', 'PAUSED', 'PENDING']);
    const filters: [where: object, holds: (row: Row) => boolean][] = [
      ...['ACTIVE', 'PAUSED', 'PENDING', 'BLOCKED'].map((status): [object, (row: Row) => boolean] => [
        { status: { in: [status] } },
        (row) => row.status === status,
      ]),
      [{ status: { in: ['PAUSED', 'PENDING'] } }, ({ status }) => status !== 'ACTIVE'],
      [{ type: { in: ['one'] } }, ({ type }) => type === 'one'],
      [{ productOfferingId: { in: [second] } }, ({ productOffering }) => productOffering?.id === second],
      [
        { productOfferingId: { in: [first] }, status: { in: ['ACTIVE'] } },
        ({ status, productOffering }) => status === 'ACTIVE' && productOffering?.id === first,
      ],
      [{ validFrom: { gte: '2026-03-02T00:00:00Z' } }, ({ validFrom }) => validFrom >= '2026-03-02T00:00:00.000Z'],
    ];
    for (const [where, holds] of filters) {
      const expected = idsOf(rows.filter(holds));
      expect([where, idsOf(await all(live, { where, orderBy }))]).toEqual([where, expected]);
      expect([where, idsOf(await all(live, { where, orderBy }, true))]).toEqual([where, expected]);
      expect(expected.length > 0 || JSON.stringify(where).includes('BLOCKED')).toBe(true);
    }
  }
  // Below a customer the same.
  const { customer } = await api.data({
    token: live,
    query:
      'query ($id: ID!) { customer(id: $id) { licenses(first: 100, where: { status: { in: [PAUSED] } }) { nodes { status } totalCount } } }',
    variables: { id: customerId },
  });
  api.setNow(null);
  expect(customer.licenses).toEqual({ nodes: Array(3).fill({ status: 'PAUSED' }), totalCount: 3 });
});

test('by the end of the window, permanent licenses come as the latest, and a window on the end leaves them out', async () => {
  const { live } = await newBusiness(api);
  const made: string[] = [];
  for (let i = 0; i < 8; i++) made.push(await newLicense(api, live, {}));
  const ends = [3, 1, null, 2, null, 1, 5, 4].map((day) => day && `2030-01-0${day}T00:00:00.000Z`);
  for (const [i, end] of ends.entries())
    await api.db.sql(null, 'UPDATE licenses SET valid_until = $2 WHERE id = $1', [rowId(made[i] as string), end]);
  const orderBy = (direction: string) => ({ orderBy: { field: 'VALID_UNTIL', direction } });
  const upward = await all(live, orderBy('ASC'));
  const shown = upward.map(({ validUntil }) => validUntil?.slice(8, 10) ?? 'for ever');
  expect(shown).toEqual(['01', '01', '02', '03', '04', '05', 'for ever', 'for ever']);
  expect(idsOf(await all(live, orderBy('DESC')))).toEqual(idsOf(upward).reverse());
  expect(idsOf(await all(live, orderBy('ASC'), true))).toEqual(idsOf(upward));
  const within = await all(live, { where: { validUntil: { gte: '2030-01-02T00:00:00Z' } }, ...orderBy('ASC') });
  expect(within.map(({ validUntil }) => validUntil?.slice(8, 10))).toEqual(['02', '03', '04', '05']);
});

test('licenses are found by order and by tag', async () => {
  const { live } = await newBusiness(api);
  const world = await newWorld(api, live);
  const [one, two] = [...world.licenseIds] as [string, string];
  await api.db.sql(null, "UPDATE licenses SET tags = '{vip,desk}' WHERE id = $1", [rowId(one)]);
  await api.db.sql(null, "UPDATE licenses SET tags = '{VIP}' WHERE id = $1", [rowId(two)]);
  const found = async (where: object) => idsOf(await all(live, { where })).sort();
  expect(await found({ orderId: { in: [world.orderId] } })).toEqual([one, two].sort());
  expect(await found({ orderId: { in: ['ord_nonsense'] } })).toEqual([]);
  expect(await found({ tag: { in: ['vip', 'other'] } })).toEqual([one]);
  expect(await found({ tag: { in: ['vip', 'VIP'] } })).toEqual([one, two].sort());
  expect(await found({ tag: { in: [] } })).toEqual([]);
});
