import type { RenderedMail } from './templates.js';

/** What every mail about a product key says. */
interface AboutProductKey {
  /** Whose it is. */
  readonly customerName: string;
  /** The names of its products. */
  readonly productName: string;
  readonly number: string;
  readonly description: string;
  readonly brandName: string;
}

/** What each mail about a product key says beyond its fixed words. */
export interface ProductKeyTemplateVars {
  /** A new product key, for its creator and whoever else shall have it. */
  'product-key-created': AboutProductKey & {
    readonly key: string;
    readonly startsAt: Date;
    /** Null: for ever. */
    readonly expiresAt: Date | null;
  };
  /** That the trial of a product key ends soon, for its owner. */
  'product-key-trial-expiring': AboutProductKey & {
    readonly trialEndsAt: Date;
    /** The key ends with it, or before: cancelled or expired. */
    readonly isEnd: boolean;
  };
  /** That a product key was disabled, for its owner. */
  'product-key-disabled': AboutProductKey & {
    /** The vendor's own words. */
    readonly reason: string | null;
    readonly isForPayment: boolean;
  };
  /** That more of the quota was used than its threshold says, for the owner and whoever else shall know. Counts are decimal. */
  'product-key-quota-threshold': AboutProductKey & {
    readonly consumed: string;
    readonly quota: string;
    /** Percent. */
    readonly threshold: string;
    /** Null: never. */
    readonly periodEndsAt: Date | null;
  };
}

/** Those mails. */
export const productKeyTemplates: Record<keyof ProductKeyTemplateVars, RenderedMail> = {
  'product-key-created': {
    subject: 'A new product key for {{productName}}',
    text: `Hello,

a product key for {{productName}} was created for {{customerName}}: {{number}}, {{description}}.

{{key}}

It counts from {{startsAt}}.
{{#if expiry}}
It works until {{expiry}}.
{{/if}}

Keep this mail: whoever has the key can use it.

{{brandName}}
`,
    html: `<!doctype html>
<html lang="en">
  <body style="font-family: sans-serif; line-height: 1.5">
    <p>Hello,</p>
    <p>a product key for {{productName}} was created for {{customerName}}: {{number}}, {{description}}.</p>
    <p style="font-family: monospace; font-size: 1.2em; white-space: pre-wrap; word-break: break-all">{{key}}</p>
    <p>It counts from {{startsAt}}.</p>
    {{#if expiry}}<p>It works until {{expiry}}.</p>{{/if}}
    <p>Keep this mail: whoever has the key can use it.</p>
    <p>{{brandName}}</p>
  </body>
</html>
`,
  },
  'product-key-trial-expiring': {
    subject: 'Your trial of {{productName}} ends soon',
    text: `Hello {{customerName}},

the trial of your product key {{number}}, {{description}}, for {{productName}} ends at {{trialEndsAt}}{{#if isEnd}}, and the product key ends with it.{{else}}. It goes on as a paid subscription then.{{/if}}

{{brandName}}
`,
    html: `<!doctype html>
<html lang="en">
  <body style="font-family: sans-serif; line-height: 1.5">
    <p>Hello {{customerName}},</p>
    <p>the trial of your product key {{number}}, {{description}}, for {{productName}} ends at {{trialEndsAt}}{{#if isEnd}}, and
      the product key ends with it.{{else}}. It goes on as a paid subscription then.{{/if}}</p>
    <p>{{brandName}}</p>
  </body>
</html>
`,
  },
  'product-key-disabled': {
    subject: 'Your product key for {{productName}} was disabled',
    text: `Hello {{customerName}},

your product key {{number}}, {{description}}, for {{productName}} was disabled and does not work any more.
{{#if isForPayment}}

A payment for it failed. It works again once it is paid.
{{/if}}
{{#if reason}}

{{reason}}
{{/if}}

{{brandName}}
`,
    html: `<!doctype html>
<html lang="en">
  <body style="font-family: sans-serif; line-height: 1.5">
    <p>Hello {{customerName}},</p>
    <p>your product key {{number}}, {{description}}, for {{productName}} was disabled and does not work any more.</p>
    {{#if isForPayment}}<p>A payment for it failed. It works again once it is paid.</p>{{/if}}
    {{#if reason}}<p style="white-space: pre-line">{{reason}}</p>{{/if}}
    <p>{{brandName}}</p>
  </body>
</html>
`,
  },
  'product-key-quota-threshold': {
    subject: 'More than {{threshold}} % of the quota of {{productName}} is used',
    text: `Hello,

of the quota of the product key {{number}}, {{description}}, for {{productName}}, {{consumed}} of {{quota}} is used: more than {{threshold}} %.
{{#if periodEndsAt}}
The quota begins anew at {{periodEndsAt}}.
{{/if}}

{{brandName}}
`,
    html: `<!doctype html>
<html lang="en">
  <body style="font-family: sans-serif; line-height: 1.5">
    <p>Hello,</p>
    <p>of the quota of the product key {{number}}, {{description}}, for {{productName}}, {{consumed}} of {{quota}} is used: more than
      {{threshold}} %.</p>
    {{#if periodEndsAt}}<p>The quota begins anew at {{periodEndsAt}}.</p>{{/if}}
    <p>{{brandName}}</p>
  </body>
</html>
`,
  },
};
