import type { LookupAddress } from 'node:dns';
import { AddressPolicy } from './address-policy';
import { ForbiddenAddressError, permittedLookup, type SystemLookup } from './permitted-lookup';

const PUBLIC4 = { address: '8.8.8.8', family: 4 };
const PUBLIC6 = { address: '2606:4700::1111', family: 6 };
const LOOPBACK = { address: '127.0.0.1', family: 4 };
const METADATA = { address: '169.254.169.254', family: 4 };
const MAPPED = { address: '::ffff:169.254.169.254', family: 6 };

/** A name server that answers with these. */
const finding =
  (...found: LookupAddress[]): SystemLookup =>
  (_hostname, _options, callback) =>
    callback(null, found);

/** What a socket that asks for a name is told. */
function resolved(
  lookup: SystemLookup,
  options: { all?: boolean; family?: number } = {},
  allowPrivate = false,
): Promise<unknown> {
  return new Promise((resolve) => {
    permittedLookup(new AddressPolicy(allowPrivate), lookup)('name.test', options, (error, address, family) =>
      resolve(error ?? (family === undefined ? address : [address, family])),
    );
  });
}

it('gives the first address, or all of them, as it is asked', async () => {
  expect(await resolved(finding(PUBLIC4, PUBLIC6))).toEqual(['8.8.8.8', 4]);
  expect(await resolved(finding(PUBLIC6, PUBLIC4))).toEqual(['2606:4700::1111', 6]);
  expect(await resolved(finding(PUBLIC4, PUBLIC6), { all: true })).toEqual([PUBLIC4, PUBLIC6]);
});

it('leaves out forbidden addresses among good ones', async () => {
  expect(await resolved(finding(METADATA, LOOPBACK, PUBLIC4, MAPPED))).toEqual(['8.8.8.8', 4]);
  expect(await resolved(finding(MAPPED, PUBLIC6, METADATA), { all: true })).toEqual([PUBLIC6]);
});

it.each([
  ['the metadata service', false, [METADATA]],
  ['the metadata service as IPv6', false, [MAPPED]],
  ['the metadata service, where private upstreams are allowed', true, [METADATA, MAPPED]],
  ['loopback', false, [LOOPBACK]],
  ['nothing', true, []],
])('refuses a name that leads only to %s', async (_, allowPrivate, found) => {
  for (const all of [false, true]) {
    expect(await resolved(finding(...found), { all }, allowPrivate)).toBeInstanceOf(ForbiddenAddressError);
  }
});

it('allows private addresses where they are allowed', async () => {
  expect(await resolved(finding(LOOPBACK), {}, true)).toEqual(['127.0.0.1', 4]);
});

it('passes on what the system says: an error, and for which family it was asked', async () => {
  const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  expect(await resolved((_hostname, _options, callback) => callback(unknown, []))).toBe(unknown);
  const asked: unknown[] = [];
  await resolved((hostname, options, callback) => {
    asked.push([hostname, options]);
    callback(null, [PUBLIC6]);
  }, { family: 6 }); // prettier-ignore
  expect(asked).toEqual([['name.test', { family: 6, all: true }]]);
});

it('asks the system by default', async () => {
  const loopback = await new Promise((resolve) => {
    permittedLookup(new AddressPolicy(true))('localhost', { all: true }, (_, addresses) =>
      resolve(addresses),
    );
  });
  expect(loopback).toEqual(
    expect.arrayContaining([
      { address: expect.stringMatching(/^(?:127\.|::1)/), family: expect.any(Number) },
    ]),
  );
});
