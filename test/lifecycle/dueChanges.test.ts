import { expect, test } from '@jest/globals';
import { asOf, dueChanges, type LicenseLife } from '../../src/lifecycle/dueChanges.js';

const day = (date: number) => new Date(Date.UTC(2026, 3, date));
const at = day(10);

/** A license with every kind of change coming at one instant; fields override. */
function life(fields: Partial<LicenseLife>): LicenseLife {
  return {
    status: 'PENDING',
    statusBeforeBlock: null,
    validFrom: at,
    validUntil: at,
    activatedAt: null,
    pausedAt: null,
    cancelledAt: null,
    pendingStatus: 'PAUSED',
    pendingStatusAt: at,
    productOfferingId: 'old',
    offeringSince: null,
    pendingOfferingId: 'new',
    pendingOfferingAt: at,
    expiredAt: null,
    ...fields,
  };
}

const kinds = (license: LicenseLife, now: Date) =>
  dueChanges(license, now).map((due) => (due.kind === 'STATUS' ? due.to : due.kind));

test('at one instant: the start, another scheduled status, the offering, the expiry', () => {
  expect(kinds(life({}), at)).toEqual(['ACTIVE', 'PAUSED', 'OFFERING', 'EXPIRY']);
  expect(asOf(life({}), at)).toEqual(
    life({
      status: 'PAUSED',
      activatedAt: at,
      pausedAt: at,
      pendingStatus: null,
      pendingStatusAt: null,
      productOfferingId: 'new',
      offeringSince: null, // since its start
      pendingOfferingId: null,
      pendingOfferingAt: null,
      expiredAt: at,
    }),
  );
});

test('a cancellation goes before all else at its instant, and nothing follows it', () => {
  const license = life({ pendingStatus: 'CANCELLED' });
  expect(kinds(license, day(20))).toEqual(['CANCELLED']);
  expect(asOf(license, day(20))).toMatchObject({
    status: 'CANCELLED',
    cancelledAt: at,
    activatedAt: null,
    productOfferingId: 'old',
    pendingOfferingId: null,
    expiredAt: null,
  });
});

test('otherwise the instants decide, and what is not due is left', () => {
  const license = life({
    validFrom: day(9),
    pendingOfferingAt: day(8),
    validUntil: day(12),
    pendingStatus: 'CANCELLED',
    pendingStatusAt: day(13),
  });
  expect(kinds(license, day(7))).toEqual([]);
  expect(kinds(license, day(8))).toEqual(['OFFERING']);
  expect(kinds(license, new Date(day(12).getTime() - 1))).toEqual(['OFFERING', 'ACTIVE']);
  expect(kinds(license, day(12))).toEqual(['OFFERING', 'ACTIVE', 'EXPIRY']);
  expect(kinds(license, day(13))).toEqual(['OFFERING', 'ACTIVE', 'EXPIRY', 'CANCELLED']);
});

test('an early activation moves the start; the start that it had does not come again', () => {
  const license = life({ pendingStatus: 'ACTIVE', pendingStatusAt: day(5), validUntil: null, pendingOfferingId: null });
  expect(kinds(license, day(20))).toEqual(['ACTIVE']);
  expect(asOf(license, day(20))).toMatchObject({ status: 'ACTIVE', validFrom: day(5), activatedAt: day(5) });
});

test('a scheduled status that is not legal when it comes is gone, and all else goes on', () => {
  const license = life({ status: 'BLOCKED', statusBeforeBlock: 'ACTIVE', pendingStatus: 'PAUSED' });
  expect(kinds(license, at)).toEqual(['PAUSED', 'OFFERING', 'EXPIRY']);
  expect(asOf(license, at)).toMatchObject({
    status: 'BLOCKED',
    pendingStatus: null,
    pendingStatusAt: null,
    expiredAt: at,
  });
});

test('an expiry is due once, and not of a cancelled license', () => {
  expect(
    kinds(life({ status: 'ACTIVE', pendingStatus: null, pendingOfferingId: null, expiredAt: at }), day(20)),
  ).toEqual([]);
  expect(kinds(life({ status: 'CANCELLED', pendingStatus: null, pendingOfferingId: null }), day(20))).toEqual([]);
});
