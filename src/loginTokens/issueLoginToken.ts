import { missingProduct } from '../catalog/notFound.js';
import { recordChange } from '../events/recordChange.js';
import type { IssueLoginTokenInput } from '../generated/graphql.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refuseErased } from '../kernel/erased.js';
import { newId, uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { Refusal, refusal } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { newToken, tokenHash } from '../kernel/secret.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { LOGIN_TOKEN_MS, loginTokenPrefixes, loginUrl } from './loginToken.js';

/**
 * Makes a token with which a customer can enter a product's service once, within five minutes. Source 001 passes it "to your
 * product's Service URL as the token parameter upon the user trying to access your service".
 * @returns its id, and the URL to send the customer to: shown once
 * @throws Refusal CustomerNotFound, ModeMismatch, BrandMismatch, CustomerErased, ProductNotFound, ServiceUrlMissing
 */
export async function issueLoginToken(
  ctx: RequestContext,
  input: IssueLoginTokenInput,
): Promise<{ loginTokenId: string; url: string }> {
  const { viewer } = ctx;
  if (viewer.principal !== 'API_KEY') throw new Error('login tokens are issued by API keys');
  const tenant = tenantOf(ctx);
  return inTransaction(ctx, async (tx) => {
    const customerId = await findCustomerId(tx, input.customerId);
    const { productId, serviceUrl } = await findService(tx, input.productId);
    const token = newToken(loginTokenPrefixes[tenant.mode]);
    const loginToken = await tx.prisma.loginToken.create({
      data: {
        ...tenant,
        id: newId(),
        customerId,
        productId,
        apiKeyId: viewer.apiKeyId,
        tokenHash: new Uint8Array(tokenHash(token)),
        expiresAt: new Date(ctx.now.getTime() + LOGIN_TOKEN_MS),
        createdAt: ctx.now,
        updatedAt: ctx.now,
      },
    });
    const { id } = loginToken;
    recordChange(tx, {
      type: 'login_token.issued',
      objectType: 'LoginToken',
      objectId: id,
      sequence: 1,
      snapshot: loginToken,
    });
    return { loginTokenId: id, url: loginUrl(serviceUrl, token) };
  });
}

async function findCustomerId(tx: Tx, givenId: string): Promise<string> {
  const id = uuidOf('Customer', givenId);
  const path = ['input', 'customerId'];
  const customer = await tx.prisma.customer.findFirst({ where: { ...tenantOf(tx.ctx), id } });
  if (!customer)
    throw await missing(tx, 'Customer', id, path, 'CustomerNotFound', 'There is no customer with this id.');
  refuseOtherBrands(tx.ctx, { brandId: customer.brandId, path });
  refuseErased(customer, path);
  return id;
}

async function findService(tx: Tx, givenId: string): Promise<{ productId: string; serviceUrl: string }> {
  const { businessId } = tenantOf(tx.ctx);
  const path = ['input', 'productId'];
  const id = uuidOf('Product', givenId);
  const product = await tx.prisma.product.findFirst({ where: { businessId, id } });
  if (!product) throw new Refusal([missingProduct(path)]);
  if (product.serviceUrl === null) {
    const message = 'The product has no URL of its service. Give it one with `updateProduct`.';
    throw refusal('ServiceUrlMissing', path, message);
  }
  return { productId: id, serviceUrl: product.serviceUrl };
}
