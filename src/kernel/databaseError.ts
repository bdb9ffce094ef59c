// Prisma reports what PostgreSQL said in several shapes; the three questions that the code asks are answered here only. And one
// error of our own that answers them as PostgreSQL's do.

interface ErrorShape {
  code?: unknown;
  constraint?: unknown;
  cause?: unknown;
  meta?: { driverAdapterError?: unknown };
  originalCode?: unknown;
  kind?: unknown;
  constraintName?: unknown;
}

/** The error and everything that it wraps, outermost first. */
function layersOf(error: unknown): ErrorShape[] {
  const layers: ErrorShape[] = [];
  let layer: unknown = error;
  while (typeof layer === 'object' && layer !== null && layers.length < 6) {
    const shape = layer as ErrorShape;
    layers.push(shape);
    layer = shape.meta?.driverAdapterError ?? shape.cause;
  }
  return layers;
}

/** PostgreSQL's SQLSTATE behind an error; null when it did not come from the database. */
export function sqlStateOf(error: unknown): string | null {
  for (const layer of layersOf(error)) {
    for (const code of [layer.originalCode, layer.code]) {
      if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^P[12]\d{3}$/.test(code)) return code;
    }
  }
  return null;
}

/** The name of the constraint or unique index that an error says was violated; null for every other error. */
export function violatedConstraint(error: unknown): string | null {
  for (const layer of layersOf(error)) {
    if (typeof layer.constraint === 'string') return layer.constraint;
    const inner = layer.constraint as { index?: unknown } | undefined;
    if (inner && typeof inner.index === 'string') return inner.index;
    if (typeof layer.constraintName === 'string') return layer.constraintName;
  }
  return null;
}

/**
 * Whether trying the whole transaction again may succeed: a serialization failure, a deadlock, or a random number that somebody
 * else drew in the same moment.
 */
export function isRetryableConflict(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === '40001' || state === '40P01') return true;
  if (violatedConstraint(error)?.endsWith('_mode_number_key')) return true;
  return layersOf(error).some((layer) => layer.code === 'P2034' || layer.kind === 'TransactionWriteConflict');
}

/** The transaction waited too long for locks; nothing of it is kept. The code is PostgreSQL's own for a lock not had. */
export class TransactionTooLong extends Error {
  readonly code = '55P03';
  constructor() {
    super('the transaction took too long and was rolled back');
    this.name = 'TransactionTooLong';
  }
}
