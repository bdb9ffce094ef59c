import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { licenseKeyMail } from '../../src/grants/licenseKeyMail.js';
import { keyMail } from '../../src/licenseKeys/keyMail.js';
import { renderMail } from '../../src/mail/templates.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { changeLicense, newLicense, rowId } from '../support/licenses.js';
import { callKey } from './keyCalls.js';

const api = useApi();
const keyring = keyringOf(readConfig(testEnvironment));

test('the mail of an issued or rotated key brings its present text, and none once the key is disabled', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { email: 'erika@example.com' });
  const licenseId = await newLicense(api, live, { customerId });
  const { licenseKey } = await callKey(api, live, 'issueLicenseKey', {
    licenseId,
    key: 'FIRST-1',
    activationsLimit: 2,
  });
  const deliveries = await api.db.prisma.delivery.findMany({ where: { licenseKeyId: rowId(licenseKey.id) } });
  const [delivery] = deliveries;
  if (!delivery) throw new Error('the issue queued no mail');
  expect([deliveries.length, delivery.template, delivery.grantId]).toEqual([1, 'license-key', null]);
  const issued = await licenseKeyMail(api.db, keyring, delivery, new Date());
  expect(issued).toMatchObject({
    customerName: 'Erika Mustermann',
    productName: 'Studio',
    key: 'FIRST-1',
    activationsLimit: 2,
  });
  const graceUntil = '2099-12-01T10:00:00.000Z';
  await callKey(api, live, 'rotateLicenseKey', { licenseKeyId: licenseKey.id, key: 'SECOND-2', graceUntil });
  const rotated = await keyMail(api.db, keyring, delivery, new Date());
  expect(rotated).toMatchObject({ key: 'SECOND-2', graceUntil: new Date(graceUntil) });
  const mail = renderMail('license-key-rotated', rotated!);
  expect(mail.subject).toBe('Your new license key for Studio');
  for (const text of [mail.text, mail.html]) {
    expect(text).toContain('SECOND-2');
    expect(text).toContain('The one that you had works until 2099-12-01 10:00 UTC.');
    expect(text).not.toContain('FIRST-1');
  }
  await callKey(api, live, 'rotateLicenseKey', { licenseKeyId: licenseKey.id, key: 'THIRD-3' });
  const atOnce = await keyMail(api.db, keyring, delivery, new Date());
  expect(renderMail('license-key-rotated', atOnce!).text).toContain('The one that you had does not work any more.');
  await callKey(api, live, 'disableLicenseKey', { licenseKeyId: licenseKey.id });
  expect(await keyMail(api.db, keyring, delivery, new Date())).toBeNull();
  await api.db.sql(
    null,
    `UPDATE deliveries SET status = 'FAILED', failure = 'WITHDRAWN', enqueued_at = now() WHERE id = $1`,
    [delivery.id],
  );
  await callKey(api, live, 'enableLicenseKey', { licenseKeyId: licenseKey.id });
  expect(await api.db.prisma.delivery.findFirst({ where: { id: delivery.id } })).toMatchObject({
    status: 'QUEUED',
    failure: null,
    enqueuedAt: null,
  });
});

test('from the instant on at which its last license is cancelled by a schedule, a key is not sent, written or not', async () => {
  const { live } = await newBusiness(api);
  const licenseId = await newLicense(api, live);
  const { licenseKey } = await callKey(api, live, 'issueLicenseKey', { licenseId });
  await callKey(api, live, 'rotateLicenseKey', { licenseKeyId: licenseKey.id });
  const deliveries = await api.db.prisma.delivery.findMany({ where: { licenseKeyId: rowId(licenseKey.id) } });
  expect(deliveries.map(({ template }) => template).sort()).toEqual(['license-key', 'license-key-rotated']);
  const at = '2099-12-01T10:00:00.000Z';
  expect((await changeLicense(api, live, 'cancel', licenseId, { at })).userErrors).toEqual([]);
  for (const delivery of deliveries) {
    const sentAt = async (instant: string) => {
      const now = new Date(instant);
      return [await licenseKeyMail(api.db, keyring, delivery, now), await keyMail(api.db, keyring, delivery, now)];
    };
    expect(await sentAt('2099-12-01T09:59:59.999Z')).toEqual(Array(2).fill(expect.anything()));
    expect(await sentAt(at)).toEqual([null, null]);
  }
});
