/** Stands in a request where each sending of it shall say something else, such as a usage key. */
export const FRESH = 'FRESH-0000000000';

const marker = Buffer.from(FRESH);
const places = new WeakMap<Buffer, number[]>();
let count = 0;

/** The request with each marker in it replaced by a text of its own, as long; the same bytes when there is none. */
export function freshBytes(request: Buffer): Buffer {
  let found = places.get(request);
  if (!found) {
    found = [];
    for (let at = request.indexOf(marker); at >= 0; at = request.indexOf(marker, at + 1)) found.push(at);
    places.set(request, found);
  }
  if (found.length === 0) return request;
  const copy = Buffer.from(request);
  for (const at of found) copy.write((count++).toString(16).padStart(FRESH.length, '0'), at, 'latin1');
  return copy;
}
