import { Redis } from 'ioredis';

/**
 * Counts what the replicas ask of Redis, by what it is for. MONITOR shows every command, and marks those that a script has made: only what
 * came by the network counts.
 */
export class Watch {
  counted = { limits: 0, reads: 0, publications: 0, background: 0, other: 0 };
  /** Changes as a replica hears of them. */
  changes = 0;
  changeBytes = 0;
  /** @type {Set<string>} */
  others = new Set();

  /** @param {string} url */
  async start(url) {
    this.base = new Redis(url);
    this.monitor = await this.base.monitor();
    this.monitor.on(
      'monitor',
      (/** @type {string} */ _, /** @type {string[]} */ args, /** @type {string} */ source) => {
        if (source !== 'lua') this.count(args);
      },
    );
    this.link = new Redis(url);
    this.control = new Redis(url);
    const id = await this.link.client('ID');
    await this.link.subscribe('__redis__:invalidate');
    await this.control.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', 'PREFIX', 'tenant:');
    this.link.on('message', (/** @type {string} */ channel, /** @type {string} */ message) => {
      // An array on the wire, of which ioredis makes a text.
      const keys = message.split(',');
      this.changes += keys.length;
      // As RESP2 spells it.
      this.changeBytes += 30 + channel.length + keys.reduce((sum, key) => sum + key.length + 8, 0);
    });
  }

  /** @param {string[]} args */
  count([name = '', first = '', ...args]) {
    const command = name.toLowerCase();
    const text = [first, ...args.slice(0, 3)].join(' ');
    if (command === 'evalsha' && text.includes('rl:')) this.counted.limits += 1;
    else if (command === 'evalsha' && text.includes(':applied:')) this.counted.publications += 1;
    else if (command === 'evalsha' && text.includes('gatehouse:replicas')) this.counted.background += 1;
    else if (command === 'ping') this.counted.background += 1;
    else if (command === 'get' && first.startsWith('tenant:')) this.counted.reads += 1;
    else if (command !== 'set' && command !== 'memory') {
      this.counted.other += 1;
      this.others.add(`${name} ${first.slice(0, 40)}`);
    }
  }

  reset() {
    for (const name of Object.keys(this.counted)) this.counted[/** @type {'limits'} */ (name)] = 0;
    this.changes = this.changeBytes = 0;
    this.others.clear();
  }

  stop() {
    for (const client of [this.base, this.monitor, this.link, this.control]) client?.disconnect();
  }
}
