/** How source 001 writes that a window has no end. */
const PERMANENT = new Date('9999-01-01T00:00:00.000Z');

/** The end of a window in the shape of source 001, which knows no window without one. */
export function endOrPermanent(validUntil: Date | null): Date {
  return validUntil ?? PERMANENT;
}
