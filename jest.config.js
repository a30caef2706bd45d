'use strict';

/**
 * Node 20 has no require(esm) inside jest, so packages that are ES modules only are transformed like our own code; and one
 * that loads what it needs by `import()`, for the same reason.
 */
const esmOnly = ['jose', 'oidc-provider', '@opentelemetry/otlp-exporter-base'];

const swc = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
};
const swcForPackages = { swcrc: false, jsc: { target: 'es2022' }, module: { type: 'commonjs' } };

/** @type {import('jest').Config} */
const project = {
  rootDir: __dirname,
  testEnvironment: '<rootDir>/test/support/one-realm.cjs',
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  setupFiles: ['<rootDir>/test/support/environment.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', swc],
    [`/node_modules/(${esmOnly.join('|')})/.+\\.js$`]: ['@swc/jest', swcForPackages],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  // What the `imports` of package.json say, with the sources in the place of dist/.
  moduleNameMapper: {
    '^#libs/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^#apps/(.*)$': '<rootDir>/apps/$1',
    // Loaded when it is needed, for which a module is named as it is called once it is built.
    '^\\./otlp-tracing\\.js$': '<rootDir>/libs/tracing/src/otlp-tracing.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.build/', '<rootDir>/bench/'],
};

/** @type {import('jest').Config} */
module.exports = {
  // The default leaves one core idle, which on two cores is half the machine. With more workers than cores clusters and
  // fail-overs take longer than their tests wait.
  maxWorkers: '100%',
  // A worker keeps something of every file it has run; a new one is cheaper than collecting garbage in a full one.
  workerIdleMemoryLimit: '1GB',
  // Only what a failure takes; on a busy machine some tests take ten times what they do alone.
  testTimeout: 30_000,
  testSequencer: '<rootDir>/test/support/long-first.cjs',
  coverageProvider: 'v8',
  collectCoverageFrom: ['{src,apps,libs}/**/*.ts', '!**/*.spec.ts', '!**/main.ts', '!**/index.ts'],
  projects: [
    {
      ...project,
      displayName: 'unit',
      testMatch: ['<rootDir>/{src,apps,libs}/**/*.spec.ts', '<rootDir>/test/*.spec.ts'],
    },
    {
      ...project,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/**/*.e2e-spec.ts'],
      globalSetup: '<rootDir>/test/support/global-setup.mjs',
    },
  ],
};
