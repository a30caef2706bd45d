'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { defaultMetadataStorage } = require('class-transformer/cjs/storage.js');
const { ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');
const { dependencies } = require('../../package.json');

/** Stands for Node's own realm where jest expects a context it has made. */
const OWN_REALM = {};

const compileFunction = vm.compileFunction;
vm.compileFunction = (code, parameters, options) =>
  options?.parsingContext === OWN_REALM
    ? (sharedModule(options.filename) ?? compile(code, parameters, options.filename))
    : compileFunction(code, parameters, options);

const PACKAGES = path.join(__dirname, '..', '..', 'node_modules', path.sep);
/** ES modules only: Node 20 does not `require` them. */
const TRANSFORMED = ['jose'];
const SHARED = new Set(
  [...Object.keys(dependencies), 'typescript'].filter((name) => !TRANSFORMED.includes(name)),
);

/** In the place of a package's file: what Node itself has of it, which is loaded once in a worker. */
function sharedModule(filename) {
  if (!filename.startsWith(PACKAGES)) return undefined;
  const name = /^(@[^\\/]+[\\/])?[^\\/]+/.exec(filename.slice(PACKAGES.length))[0];
  if (!SHARED.has(name.replace('\\', '/'))) return undefined;
  return (module) => {
    module.exports = require(filename);
  };
}

// `fetch` gets its connections from Node's undici: whichever undici is there first, this or the package, serves both.
void globalThis.Response;

/** What a worker has compiled: a file of ours is wanted again by nearly every test file. */
const compiled = new Map();

let measuring = false;

function compile(code, parameters, filename) {
  // Coverage is counted in characters from the first of the code itself.
  if (measuring) return compileFunction(code, parameters, { filename });
  const known = compiled.get(filename);
  if (known?.code === code) return known.script.runInThisContext();
  const head = `(function (${parameters.join(', ')}) {`;
  const script = new vm.Script(`${head}${code}\n})`, { filename, columnOffset: -head.length });
  if (!filename.endsWith('spec.ts')) compiled.set(filename, { code, script });
  return script.runInThisContext();
}

/**
 * The environment of every test file: Node's own realm instead of a context made for the file. In such a context each
 * use of a global (`Buffer`, `Promise`, `Map` …) goes through an interceptor, and every package has to be compiled and
 * run anew; both together were a third of what all tests cost. Modules of ours are still made anew for each file;
 * packages are shared by the files of a worker, and so are the globals, which are put back when a file has ended.
 */
module.exports = class OneRealm {
  global = globalThis;

  constructor({ globalConfig, projectConfig }) {
    measuring = globalConfig.collectCoverage;
    this.globals = new Map(
      Reflect.ownKeys(globalThis).map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)]),
    );
    this.variables = { ...process.env };
    this.exit = process.exit;
    // What jest goes on using while a test has put something else in their place.
    globalThis['jest-symbol-do-not-touch'] = Symbol;
    const natives = {
      promise: Promise,
      now: Date.now,
      'read-file': fs.readFileSync,
      'write-file': fs.writeFileSync,
      'exists-file': fs.existsSync,
    };
    for (const [name, native] of Object.entries(natives))
      globalThis[Symbol.for(`jest-native-${name}`)] = native;
    this.moduleMocker = new ModuleMocker(globalThis);
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
  }

  async setup() {}

  async teardown() {
    this.fakeTimersModern.dispose();
    process.exit = this.exit;
    for (const name of Object.keys(process.env)) if (!(name in this.variables)) delete process.env[name];
    Object.assign(process.env, this.variables);
    for (const key of Reflect.ownKeys(globalThis)) {
      const before = this.globals.get(key);
      if (!before) Reflect.deleteProperty(globalThis, key);
      else if (!same(before, Object.getOwnPropertyDescriptor(globalThis, key)))
        Reflect.defineProperty(globalThis, key, before);
    }
    // It would keep the classes of the file, and with them all its modules.
    defaultMetadataStorage.clear();
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return OWN_REALM;
  }
};

function same(one, other) {
  return one.value === other.value && one.get === other.get && one.set === other.set;
}
