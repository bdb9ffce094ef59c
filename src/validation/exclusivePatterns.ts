import type { KeyPattern } from '../catalog/keyPattern.js';
import type { Database } from '../kernel/database.js';
import { createMemory } from '../kernel/memory.js';

/** Patterns whose prefix no other key of the business can begin with, by that prefix. */
export type ExclusivePatterns = ReadonlyMap<string, KeyPattern>;

const remembered = createMemory<ExclusivePatterns>();

/** A business's exclusive patterns, remembered for a second. */
export async function exclusivePatterns(db: Database, businessId: string): Promise<ExclusivePatterns> {
  const patterns = await remembered(businessId, async () => {
    const rows = await db.sql<{ pattern: KeyPattern & { prefix: string } }>(
      'exclusive_key_patterns',
      `SELECT key_pattern AS pattern FROM products
        WHERE business_id = $1 AND key_pattern IS NOT NULL AND key_prefix_is_exclusive`,
      [businessId],
    );
    return new Map(rows.map(({ pattern }) => [pattern.prefix, pattern]));
  });
  return patterns as ExclusivePatterns;
}
