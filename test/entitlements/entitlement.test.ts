import { expect, test } from '@jest/globals';
import { licenseKeyExpiry, licenseKeyProblems } from '../../src/entitlements/entitlement.js';
import type { DurationUnit, LicenseKeyConfigurationInput } from '../../src/generated/graphql.js';

type Row = [count: number, unit: DurationUnit, from: string, until: string];

test.each<Row>([
  [1, 'DAY', '2026-03-01T10:00:00.123Z', '2026-03-02T10:00:00.123Z'],
  // The clocks of many places change on this day; UTC's do not.
  [1, 'DAY', '2026-03-29T00:30:00.000Z', '2026-03-30T00:30:00.000Z'],
  [365, 'DAY', '2024-01-01T00:00:00.000Z', '2024-12-31T00:00:00.000Z'],
  [1, 'WEEK', '2026-12-28T10:00:00.000Z', '2027-01-04T10:00:00.000Z'],
  [1000, 'WEEK', '2026-01-01T00:00:00.000Z', '2045-03-02T00:00:00.000Z'],
  [1, 'MONTH', '2026-01-15T10:00:00.000Z', '2026-02-15T10:00:00.000Z'],
  [1, 'MONTH', '2026-01-31T23:59:59.999Z', '2026-02-28T23:59:59.999Z'],
  [1, 'MONTH', '2024-01-31T10:00:00.000Z', '2024-02-29T10:00:00.000Z'],
  [1, 'MONTH', '2026-01-29T10:00:00.000Z', '2026-02-28T10:00:00.000Z'],
  [1, 'MONTH', '2026-03-31T10:00:00.000Z', '2026-04-30T10:00:00.000Z'],
  [2, 'MONTH', '2026-12-31T10:00:00.000Z', '2027-02-28T10:00:00.000Z'],
  [12, 'MONTH', '2026-12-31T10:00:00.000Z', '2027-12-31T10:00:00.000Z'],
  [13, 'MONTH', '2023-01-30T10:00:00.000Z', '2024-02-29T10:00:00.000Z'],
  [1, 'YEAR', '2026-03-01T10:00:00.000Z', '2027-03-01T10:00:00.000Z'],
  [1, 'YEAR', '2024-02-29T10:00:00.000Z', '2025-02-28T10:00:00.000Z'],
  [4, 'YEAR', '2024-02-29T10:00:00.000Z', '2028-02-29T10:00:00.000Z'],
  [1000, 'YEAR', '2024-02-29T10:00:00.000Z', '3024-02-29T10:00:00.000Z'],
])('%i %s from %s ends at %s', (durationCount, durationUnit, from, until) => {
  const start = new Date(from);
  expect(licenseKeyExpiry({ durationCount, durationUnit }, start)?.toISOString()).toBe(until);
  expect(start.toISOString()).toBe(from);
});

test('without a duration a key works for ever', () => {
  expect(licenseKeyExpiry({ durationCount: null, durationUnit: null }, new Date(0))).toBeNull();
});

type Refused = [LicenseKeyConfigurationInput, [code: string, field: string][]];

test.each<Refused>([
  [{}, []],
  [{ fulfillmentMode: 'AUTO', fulfillWithinHours: null }, []],
  [{ fulfillmentMode: 'MANUAL', fulfillWithinHours: 8760 }, []],
  [{ activationsLimit: 1, duration: { count: 1000, unit: 'YEAR' }, activationMessage: 'x'.repeat(2500) }, []],
  [{ activationsLimit: 0 }, [['INVALID_ACTIVATIONS_LIMIT', 'activationsLimit']]],
  [{ activationsLimit: -1 }, [['INVALID_ACTIVATIONS_LIMIT', 'activationsLimit']]],
  [{ duration: { count: 0, unit: 'DAY' } }, [['INVALID_INPUT', 'duration.count']]],
  [{ duration: { count: 1001, unit: 'DAY' } }, [['INVALID_INPUT', 'duration.count']]],
  [{ activationMessage: 'x'.repeat(2501) }, [['INVALID_INPUT', 'activationMessage']]],
  [{ fulfillWithinHours: 24 }, [['INVALID_INPUT', 'fulfillWithinHours']]],
  [{ fulfillmentMode: 'AUTO', fulfillWithinHours: 24 }, [['INVALID_INPUT', 'fulfillWithinHours']]],
  [{ fulfillmentMode: 'MANUAL', fulfillWithinHours: 0 }, [['INVALID_INPUT', 'fulfillWithinHours']]],
  [{ fulfillmentMode: 'MANUAL', fulfillWithinHours: 8761 }, [['INVALID_INPUT', 'fulfillWithinHours']]],
])('%j has these problems: %j', (configuration, expected) => {
  const problems = licenseKeyProblems(['input'], configuration);
  expect(problems.map(({ code, path }) => [code, path.slice(1).join('.')])).toEqual(expected);
});
