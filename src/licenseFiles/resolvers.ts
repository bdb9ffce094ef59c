import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Resolvers } from '../generated/graphql.js';
import { holderOf } from '../activations/holderOf.js';
import { found, idOf } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { checkOutLicenseFile } from './checkOutLicenseFile.js';
import type { LicenseFileClaims } from './licenseFile.js';
import { listSigningKeys } from './publicKeys.js';
import { revokedLicenseKeys } from './revokedLicenseKeys.js';
import { rotateSigningKey } from './rotateSigningKey.js';

/** What a file of ours says. */
function opened(file: string) {
  return { file, keyId: decodeProtectedHeader(file).kid as string, claims: decodeJwt<LicenseFileClaims>(file) };
}

export const licenseFileResolvers = {
  Query: {
    signingKeys: (_, _args, { request }) => listSigningKeys(request),
    revokedLicenseKeys: (_, args, { request }) => revokedLicenseKeys(request, args),
  },
  Mutation: {
    checkOutLicenseFile: mutation(checkOutLicenseFile, { holderOf, secretFields: ['file'] }),
    rotateSigningKey: mutation(rotateSigningKey),
  },
  SigningKey: {
    id: idOf('SigningKey'),
    isCurrent: ({ retiredAt }) => retiredAt === null,
    publishedUntil: ({ retiredAt, publishedUntil }) => (retiredAt === null ? null : publishedUntil),
    testMode: ({ mode }) => mode === 'TEST',
    history: ({ id }, args, { loaders }) => loaders.changesByObject.load({ parentId: id, args }),
  },
  LicenseFile: {
    issuedAt: ({ claims }) => new Date(claims.issuedAt),
    expiresAt: ({ claims }) => new Date(claims.expiresAt),
    graceUntil: ({ claims }) => new Date(claims.graceUntil),
    revocationListVersion: ({ claims }) => BigInt(claims.revocation.listVersion),
  },
  LicenseKey: {
    offlineUntil: ({ id }, _, { loaders }) => loaders.offlineUntilByKey.load(id),
  },
  CheckOutLicenseFilePayload: { licenseFile: ({ file }) => (file ? opened(file) : null) },
  RotateSigningKeyPayload: {
    signingKey: ({ signingKeyId }, _, { loaders }) => found(loaders.signingKeyById, signingKeyId),
  },
} satisfies Resolvers;
