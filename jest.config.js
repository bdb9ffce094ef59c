// Tests run as native ES modules on a real PostgreSQL: test/support/globalSetup.ts starts one embedded server and one migrated
// template database, and each test file clones it.
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testRunner: '<rootDir>/test/runner/runTestFile.js',
  // Only for the set-up: test files and what they import are loaded by the runner.
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  globalSetup: '<rootDir>/test/support/globalSetup.ts',
  globalTeardown: '<rootDir>/test/support/globalTeardown.ts',
  maxWorkers: 2,
  testTimeout: 60000,
};
