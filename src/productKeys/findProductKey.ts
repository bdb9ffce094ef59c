import type DataLoader from 'dataloader';
import type { ProductKey } from '../generated/prisma/client.js';
import { ClientError } from '../kernel/clientError.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { productKeyList } from './listProductKeys.js';

/**
 * A product key by id or number; null when there is none that the caller may see.
 * @throws ClientError BAD_USER_INPUT when not exactly one of them is given
 */
export async function findProductKey(
  ctx: RequestContext,
  byId: DataLoader<string, ProductKey | null>,
  { id, number }: { id?: string | null; number?: string | null },
): Promise<ProductKey | null> {
  if ((id == null) === (number == null)) {
    throw new ClientError('BAD_USER_INPUT', 'Give `id` or `number`, exactly one of them.', { argument: 'id' });
  }
  if (id != null) return byId.load(uuidOf('ProductKey', id));
  const args = { where: { number: { in: [number as string] } }, first: 1 };
  const { nodes } = await listPage(ctx.db, productKeyList(ctx, args), args);
  return nodes[0] ?? null;
}
