// What node-postgres does to a value before it goes out; its types leave it out.
declare module 'pg/lib/utils.js' {
  export function prepareValue(value: unknown): unknown;
}
