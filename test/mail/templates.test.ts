import { expect, test } from '@jest/globals';
import { renderMail, type TemplateName } from '../../src/mail/templates.js';

const plain = {
  customerName: 'Erika',
  productName: 'Studio',
  key: 'AAAAA-BBBBB',
  activationsLimit: null,
  expiresAt: null,
  activationMessage: null,
  brandName: 'Acme',
};

test('without limits and message, the mail says the key and nothing else', () => {
  expect(renderMail('license-key', plain)).toMatchObject({
    subject: 'Your license key for Studio',
    text: `Hello Erika,

here is your license key for Studio:

AAAAA-BBBBB

Keep this mail: whoever has the key can use it.

Acme
`,
  });
});

test('each limit is told by itself', () => {
  const { text: one } = renderMail('license-key', { ...plain, activationsLimit: 1 });
  expect(one).toContain('\n\nAAAAA-BBBBB\n\nIt can be activated on 1 device.\n\nKeep');
  const { text: until } = renderMail('license-key', { ...plain, expiresAt: new Date('2027-02-01T00:00:00.000Z') });
  expect(until).toContain('\n\nAAAAA-BBBBB\n\nIt works until 2027-02-01 00:00 UTC.\n\nKeep');
  const { text: message } = renderMail('license-key', { ...plain, activationMessage: 'First\nsecond {{key}}' });
  expect(message).toContain('\n\nAAAAA-BBBBB\n\nFirst\nsecond {{key}}\n\nKeep');
});

test('a name as long as a page makes no subject as long as a page', () => {
  const { subject } = renderMail('license-key', { ...plain, productName: 'Ü'.repeat(10_000) });
  expect([...subject]).toHaveLength(200);
});

test('an unknown template is a fault', () => {
  expect(() => renderMail('invoice' as TemplateName, plain)).toThrow('there is no mail template "invoice"');
});
