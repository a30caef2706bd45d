'use strict';

const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/** Folders of tests that start processes and wait for them. */
const LONG = ['usage', 'process', 'store', 'cli'].map((area) => path.join(__dirname, '..', area) + path.sep);

/**
 * Long files first: where nothing is known of earlier runs jest goes by the size of a file, and one that takes a minute
 * would begin when all others have ended, with the other cores idle.
 */
module.exports = class extends Sequencer {
  sort(tests) {
    const place = ({ path: file }) => (LONG.some((folder) => file.startsWith(folder)) ? 0 : 1);
    return [...super.sort(tests)].sort((one, other) => place(one) - place(other));
  }
};
