// `node bench/signing.mjs`, after `npm run build`: what signing and verifying one request cost, in µs of CPU.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { KeyRings, RequestSigner, judgeDigest, judgeHead } = require('../dist/libs/signatures/src/index.js');

const ROUNDS = 20_000;
const owner = { signatureKeys: { k: { secret: 'a-secret-for-the-benchmark-of-signing' } } };
const rings = new KeyRings(new Map());
const signer = new RequestSigner(rings);
const target = { method: 'POST', host: 'api.example.com', target: '/v1/orders?page=2' };
const headers = ['X-Forwarded-For', '203.0.113.7', 'Content-Type', 'application/json', 'X-Request-Id', 'abc'];

/** The least of some runs: whatever else the machine did only adds. */
function measure(name, work) {
  let best = Infinity;
  for (let run = 0; run < 5; run++) {
    const before = process.cpuUsage();
    for (let i = 0; i < ROUNDS; i++) work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / ROUNDS);
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(2)} µs`);
}

for (const bytes of [0, 1024, 65_536]) {
  const body = Buffer.alloc(bytes, 'x');
  const policy = { key: 'k' };
  measure(`sign, ${bytes} bytes`, () => signer.signed(owner, policy, target, headers, body));
  const rawHeaders = signer.signed(owner, policy, target, headers, body);
  const request = { ...target, rawHeaders };
  const inbound = { keys: ['k'] };
  measure(`verify, ${bytes} bytes`, () => {
    const { signature } = judgeHead(request, inbound, rings.of(owner), Date.now());
    judgeDigest(signature, body);
  });
}

// What every request pays where nothing is configured: the three look-ups of the forwarder, and those of the guard.
const place = { signing: undefined, inboundSignature: undefined };
const context = { route: place, service: place, tenant: place };
let found = 0;
measure('not configured', () => {
  const { route, service, tenant } = context;
  if ((route?.signing ?? service?.signing ?? tenant?.signing) !== undefined) found += 1;
  if ((route?.inboundSignature ?? service?.inboundSignature ?? tenant?.inboundSignature) !== undefined)
    found += 1;
});
if (found > 0) throw new Error('something was configured');
