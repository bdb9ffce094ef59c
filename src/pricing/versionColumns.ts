import { Prisma } from '../generated/prisma/client.js';
import { columnName } from '../kernel/rows.js';

/** The select list of a version of a pricing rule, `v`, in camelCase. */
export const versionColumns = Object.keys(Prisma.PricingRuleVersionScalarFieldEnum)
  .map((field) => `v.${columnName(field)} AS "${field}"`)
  .join(', ');
