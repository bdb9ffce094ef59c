import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isCurrency, minorUnitsOf, moneyOf, moneyText } from '../../src/kernel/money.js';

test.each([
  ['19.90', 'USD', 1990n],
  ['19.9', 'USD', 1990n],
  ['19', 'USD', 1900n],
  ['19.900', 'USD', 1990n],
  ['19.901', 'USD', null],
  ['10', 'JPY', 10n],
  ['10.0', 'JPY', 10n],
  ['10.5', 'JPY', null],
  ['1.234', 'KWD', 1234n],
  ['1.2345', 'KWD', null],
  ['-0.01', 'EUR', -1n],
  ['9007199254740993.01', 'USD', 900719925474099301n],
  ['1e3', 'USD', null],
  ['', 'USD', null],
  ['1', 'XXX', null],
])('%s %s is %s minor units', (amount, currency, units) => {
  expect(minorUnitsOf(amount, currency)).toBe(units);
});

test('exponents are those of ISO 4217', () => {
  expect(
    ['USD', 'JPY', 'KWD', 'ISK', 'UGX', 'TND', 'XCG', 'IQD', 'HUF'].map((code) => moneyOf(1n, code).amount),
  ).toEqual(['0.01', '1', '0.001', '1', '1', '0.001', '0.01', '0.001', '0.01']);
});

test('codes that are no money, or no longer, are no currencies', () => {
  expect(['EUR', 'XCG', 'XOF', 'ZWG'].filter(isCurrency)).toEqual(['EUR', 'XCG', 'XOF', 'ZWG']);
  expect(['ANG', 'BGN', 'XAU', 'XXX', 'XTS', 'CLF', 'eur', 'EURO', '', 'HRK'].filter(isCurrency)).toEqual([]);
});

test('an amount reads back as what was written, and names its currency', () => {
  expect(moneyOf(-5n, 'USD')).toEqual({ amount: '-0.05', currencyCode: 'USD', minorUnits: -5n });
  expect(moneyText(1990n, 'EUR')).toBe('19.90 EUR');
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 70n), 2n ** 70n), fc.constantFrom('USD', 'JPY', 'KWD'), (units, currency) => {
      expect(minorUnitsOf(moneyOf(units, currency).amount, currency)).toBe(units);
    }),
  );
});
