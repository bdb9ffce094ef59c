import { userError } from '../kernel/refusal.js';
import type { ConflictRefusals } from '../kernel/transaction.js';

/** What to answer when another subscription type of the business has the name. */
export const nameTaken: ConflictRefusals = {
  subscription_types_business_id_name_key: () =>
    userError('NameTaken', ['input', 'name'], 'Another subscription type has this name. Choose another one.'),
};
