// Jest's `testRunner`: jest-circus as ever, but a test file is loaded by Node and not by Jest's own module system, which reads,
// links and compiles each of a thousand modules anew for every file and costs more than the tests. So the files that one worker
// runs share their modules: what a module remembers must be of one server or one database, as it is in the product.
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { register as registerTypeScript } from 'tsx/esm/api';
import { setGlobals } from './globals.js';

const require = createRequire(import.meta.url);
const { default: runCircus } = require('jest-circus/runner');

const globalsUrl = import.meta.resolve('./globals.js');
const hooks = `export const resolve = (specifier, context, next) =>
  specifier === '@jest/globals' ? { url: ${JSON.stringify(globalsUrl)}, shortCircuit: true } : next(specifier, context);`;

registerTypeScript();
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

/** Runs one test file and gives its results, as `jest-circus/runner` does. */
export default async function runTestFile(globalConfig, config, environment, runtime, testPath, sendMessageToJest) {
  runtime.requireInternalModule = requireAnew;
  runtime.setGlobalsForRuntime = setGlobals;
  runtime.unstable_shouldLoadAsEsm = () => true;
  runtime.unstable_importModule = (path) => import(pathToFileURL(path).href);
  // Jest's own would look for the source maps of its own module system; Node knows those of tsx.
  Error.prepareStackTrace = undefined;
  return await runCircus(globalConfig, config, environment, runtime, testPath, sendMessageToJest);
}

/** jest-circus keeps the tests of a file and who listens to them in globals: each file begins with a jest-circus of its own. */
function requireAnew(path) {
  delete require.cache[path];
  for (const key of Object.getOwnPropertySymbols(globalThis)) {
    if (['JEST_STATE_SYMBOL', 'EVENT_HANDLERS'].includes(key.description)) delete globalThis[key];
  }
  return require(path);
}
