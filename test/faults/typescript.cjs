'use strict';

/**
 * Lets `require` read the TypeScript of the tests, so that the fault table stands on the same servers as they do
 * (test/support). The settings are jest's own.
 */
const { readFileSync } = require('node:fs');
const { Module } = require('node:module');
const { transformSync } = require('@swc/core');

const { projects } = require('../../jest.config.js');
const [, options] = projects[0].transform['^.+\\.ts$'];

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename });
  module._compile(code, filename);
};
