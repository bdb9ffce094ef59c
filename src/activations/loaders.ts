import DataLoader from 'dataloader';
import type { Activation } from '../generated/prisma/client.js';
import { loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import type { ActivationRefs } from './keyForDevice.js';
import { activationList } from './listActivations.js';
import { readActivation, freedSeats } from './readActivations.js';

/** Activations by id, a key's and a customer's, and how many seats of keys are taken. */
export function activationLoaders(ctx: RequestContext) {
  return {
    activationById: loadOne(ctx, 'Activation'),
    activationsByCustomer: loadPage(ctx, 'customerId', activationList),
    activationsByKey: loadPage(ctx, 'licenseKeyId', activationList),
    /** What a mutation has answered with: it was allowed, also to a caller whom no other loader serves. */
    activationByRefs: new DataLoader<ActivationRefs, Activation | null>((refs) =>
      Promise.all(refs.map((one) => readActivation(ctx.db, one))),
    ),
    freedSeatsByKey: new DataLoader<string, number>((ids) => freedSeats(ctx, ids)),
  };
}
