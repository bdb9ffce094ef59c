import handlebars from 'handlebars';
import { productKeyTemplates, type ProductKeyTemplateVars } from './productKeyTemplates.js';

/** What each mail says beyond its fixed words: the name that `Delivery.template` keeps, and what fills it. */
export interface TemplateVars extends ProductKeyTemplateVars {
  /** A license key that was delivered. */
  'license-key': {
    readonly customerName: string;
    /** What was delivered: the name of the product or of the entitlement. */
    readonly productName: string;
    readonly key: string;
    /** Null: no limit. */
    readonly activationsLimit: number | null;
    /** Null: for ever. */
    readonly expiresAt: Date | null;
    /** The vendor's own words; may have several lines. */
    readonly activationMessage: string | null;
    readonly brandName: string;
  };
  /** The new text of a license key that was rotated. */
  'license-key-rotated': TemplateVars['license-key'] & {
    /** Until when the text before it works; null: it does no more. */
    readonly graceUntil: Date | null;
  };
}

/** Names of mails. */
export type TemplateName = keyof TemplateVars;

/** A mail without its envelope. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A header line is folded at 998 characters at the latest; nobody reads a subject as long as that. */
const MAX_SUBJECT = 200;

const sources: Record<TemplateName, RenderedMail> = {
  'license-key': {
    subject: 'Your license key for {{productName}}',
    text: `Hello {{customerName}},

here is your license key for {{productName}}:

{{key}}
{{#if limited}}

{{#if activationsLimit}}
It can be activated on {{activationsLimit}} {{#if several}}devices{{else}}device{{/if}}.
{{/if}}
{{#if expiry}}
It works until {{expiry}}.
{{/if}}
{{/if}}
{{#if activationMessage}}

{{activationMessage}}
{{/if}}

Keep this mail: whoever has the key can use it.

{{brandName}}
`,
    html: `<!doctype html>
<html lang="en">
  <body style="font-family: sans-serif; line-height: 1.5">
    <p>Hello {{customerName}},</p>
    <p>here is your license key for {{productName}}:</p>
    <p style="font-family: monospace; font-size: 1.2em; white-space: pre-wrap; word-break: break-all">{{key}}</p>
    {{#if activationsLimit}}<p>It can be activated on {{activationsLimit}} {{#if several}}devices{{else}}device{{/if}}.</p>{{/if}}
    {{#if expiry}}<p>It works until {{expiry}}.</p>{{/if}}
    {{#if activationMessage}}<p style="white-space: pre-line">{{activationMessage}}</p>{{/if}}
    <p>Keep this mail: whoever has the key can use it.</p>
    <p>{{brandName}}</p>
  </body>
</html>
`,
  },
  'license-key-rotated': {
    subject: 'Your new license key for {{productName}}',
    text: `Hello {{customerName}},

your license key for {{productName}} was replaced. This is the new one:

{{key}}

{{#if grace}}
The one that you had works until {{grace}}. Enter the new one before.
{{else}}
The one that you had does not work any more.
{{/if}}
{{#if expiry}}
The new one works until {{expiry}}.
{{/if}}

Keep this mail: whoever has the key can use it.

{{brandName}}
`,
    html: `<!doctype html>
<html lang="en">
  <body style="font-family: sans-serif; line-height: 1.5">
    <p>Hello {{customerName}},</p>
    <p>your license key for {{productName}} was replaced. This is the new one:</p>
    <p style="font-family: monospace; font-size: 1.2em; white-space: pre-wrap; word-break: break-all">{{key}}</p>
    {{#if grace}}<p>The one that you had works until {{grace}}. Enter the new one before.</p>
    {{else}}<p>The one that you had does not work any more.</p>{{/if}}
    {{#if expiry}}<p>The new one works until {{expiry}}.</p>{{/if}}
    <p>Keep this mail: whoever has the key can use it.</p>
    <p>{{brandName}}</p>
  </body>
</html>
`,
  },
  ...productKeyTemplates,
};

const compiled = new Map(
  Object.entries(sources).map(([name, { subject, text, html }]) => [
    name,
    {
      // Only HTML has characters to escape.
      subject: handlebars.compile(subject, { noEscape: true, strict: true }),
      text: handlebars.compile(text, { noEscape: true, strict: true }),
      html: handlebars.compile(html, { strict: true }),
    },
  ]),
);

/**
 * Fills a template. Names become one line each, so that they can add neither a header nor a line that looks like ours.
 * @throws Error when there is no such template
 */
export function renderMail<Name extends TemplateName>(name: Name, vars: TemplateVars[Name]): RenderedMail {
  const templates = compiled.get(name);
  if (!templates) throw new Error(`there is no mail template "${name}"`);
  const {
    activationsLimit = null,
    expiresAt = null,
    graceUntil = null,
  } = vars as Partial<TemplateVars['license-key-rotated']>;
  const filled = {
    ...Object.fromEntries(Object.entries(vars).map(([name, value]: [string, unknown]) => [name, shown(name, value)])),
    limited: activationsLimit !== null || expiresAt !== null,
    several: activationsLimit !== 1,
    expiry: expiresAt && instant(expiresAt),
    grace: graceUntil && instant(graceUntil),
  };
  return {
    subject: [...templates.subject(filled)].slice(0, MAX_SUBJECT).join(''),
    text: templates.text(filled),
    html: templates.html(filled),
  };
}

/** Texts of the vendor's own that may have several lines. */
const severalLines = new Set(['activationMessage', 'reason']);

function shown(name: string, value: unknown): unknown {
  if (value instanceof Date) return instant(value);
  return typeof value === 'string' && !severalLines.has(name) ? oneLine(value) : value;
}

function instant(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
