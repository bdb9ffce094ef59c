import type { Activation, Grant, License, LicenseKey } from '../generated/prisma/client.js';
import type { LicenseLife } from '../lifecycle/dueChanges.js';
import type { Mode } from '../kernel/viewer.js';

/** A product as checks need it. */
export interface ProductFacts {
  readonly id: string;
  readonly sku: string;
  readonly name: string;
  readonly archivedAt: Date | null;
  /** The newest version that is public now; null: none is. */
  readonly latestPublicVersionName: string | null;
  /** The version that was asked about; null: there is none of that name, or none was asked about. */
  readonly version: { readonly publishedAt: Date | null } | null;
}

/** What of a license a key is judged by, and its holder may know. */
export type JudgedLicense = LicenseLife & Pick<License, 'id' | 'customerId' | 'type'>;

/** A license on the key. */
export interface LicenseFacts {
  /** As it is stored; for an instant in the past as it was stored then. */
  readonly license: JudgedLicense;
  /** What it is for, its own product first. */
  readonly products: readonly ProductFacts[];
}

/** A grant of the key itself or of one of its licenses. */
export type GrantFacts = Pick<Grant, 'licenseId' | 'status' | 'revocationReason' | 'integrationType'> & {
  readonly name: string;
  /** Whether it is the one that gave the key. */
  readonly gaveKey: boolean;
};

/** The device that was asked about. */
export interface DeviceFacts {
  readonly activation: Activation;
  /** How many devices have had their seats for longer. */
  readonly rank: number;
}

/** A key with all that it is judged by. */
export interface KeyFacts {
  readonly key: Pick<
    LicenseKey,
    'id' | 'mode' | 'customerId' | 'status' | 'expiresAt' | 'disabledAt' | 'activationsLimit' | 'version' | 'createdAt'
  >;
  readonly brandId: string;
  readonly customerNumber: string;
  /** Whether the person behind the customer was erased: nothing more is noted about it. */
  readonly isErased: boolean;
  /** Until when the string works that was asked about; null: it is the key's present one. */
  readonly replacedUntil: Date | null;
  readonly licenses: readonly LicenseFacts[];
  /** What a key without a license is for; empty: anything. */
  readonly products: readonly ProductFacts[];
  readonly grants: readonly GrantFacts[];
  /** Devices that have a seat now. */
  readonly activationsUsed: number;
  readonly device: DeviceFacts | null;
}

/** What the database knows about one question. */
export interface Facts {
  /** The mode that was asked about. */
  readonly mode: Mode;
  /** Null: there is no such key in the mode that was asked about, or nobody has it. */
  readonly found: KeyFacts | null;
  /**
   * The same; in the place of a key that is not there another one of the business, which is judged like it, so that the time of
   * an answer does not tell one from the other. Never shown.
   */
  readonly nearest: KeyFacts | null;
  /** Whether it waits in a pool. */
  readonly isPooled: boolean;
  /** Whether the other mode has it. */
  readonly isInOtherMode: boolean;
  /** The product that was asked about; null: there is none of that SKU. */
  readonly product: ProductFacts | null;
}

/** What is asked of a key that has the form of one. */
export interface Question {
  readonly productSku: string | null;
  readonly version: string | null;
  readonly fingerprint: string | null;
  readonly customerNumber: string | null;
  /** The instant to judge by. */
  readonly at: Date;
}
