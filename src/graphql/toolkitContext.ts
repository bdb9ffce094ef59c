import type { Columns } from '../kernel/columns.js';
import type { RequestContext } from '../kernel/requestContext.js';

/** What the toolkit needs of the context that resolvers get; the composition adds the loaders. */
export interface ToolkitContext {
  readonly request: RequestContext;
  /** `Idempotency-Key` or `X-Idempotency-Key`; null without one. */
  readonly idempotencyKeyHeader: string | null;
  /** Root fields of the mutation that runs; 0 for queries. Set before execution. */
  mutationFieldCount: number;
  /** What loaders and lists read of rows; whole rows for mutations. Set before execution. */
  columns: Columns;
  /** For each mutation that ran under an idempotency key, whether an earlier result was given again. */
  readonly idempotency: { path: (string | number)[]; replayed: boolean }[];
  /** Coordinates of fields below the root that were denied and have had their one error. */
  readonly denied: Set<string>;
  /** Forgets what was read, so that a payload reads what was just written. */
  renewLoaders(): void;
}
