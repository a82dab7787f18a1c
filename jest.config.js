const typescript = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  testEnvironment: 'node',
};

/** A project per kind of test; the servers of all but `unit` come from `npm test` (scripts/run/test.mjs) through the environment. */
const project = (name, extra = {}) => ({
  ...typescript,
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  ...extra,
});

const servers = { globalSetup: '<rootDir>/test/support/global-setup.ts' };

export default {
  testTimeout: 60_000,
  maxWorkers: 2,
  projects: [
    project('unit'),
    project('properties'),
    project('workflows', servers),
    project('integration', servers),
    project('e2e', servers),
  ],
};
