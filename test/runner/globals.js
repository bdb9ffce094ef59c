// What test files get as `@jest/globals`: that of the file which runs at the moment.
export let afterAll, afterEach, beforeAll, beforeEach, describe, expect, test;

/** Told by jest-circus before it loads a test file. */
export function setGlobals(globals) {
  ({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } = globals);
}
