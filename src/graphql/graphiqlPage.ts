import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** GraphiQL as one self-contained page that asks nothing of other hosts. */
export interface GraphiqlPage {
  readonly html: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

/** The browser itself stops what would leave this server. Monaco's workers are blobs, its styles and the page's script inline. */
export const graphiqlPolicy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Makes the page of 9 MB, compressed once; the library is loaded only when somebody asks for the page. */
export async function createGraphiqlPage(endpoint: string): Promise<GraphiqlPage> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = Buffer.from(renderGraphiQL({ title: 'Latchkey', endpoint }).trim());
  const gzipped = await promisify(gzip)(html);
  return { html, gzipped, etag: `"${createHash('sha256').update(html).digest('base64url')}"` };
}
