import { isGrpc, timeoutOf } from './rpc-call';

it.each([
  ['application/grpc', true],
  ['application/grpc+proto', true],
  ['Application/gRPC;charset=x', true],
  ['application/grpc-web', false],
  ['application/grpc-web+proto', false],
  ['application/grpcx', false],
  ['application/json', false],
  ['', false],
])('%j is gRPC: %j', (type, expected) => expect(isGrpc(type)).toBe(expected));

it.each([
  ['100m', 100],
  ['1S', 1000],
  ['2M', 120_000],
  ['1H', 3_600_000],
  ['1500u', 2],
  ['1n', 1],
  ['0m', 1],
  ['99999999H', 86_400_000],
  ['123456789m', undefined],
  ['1.5S', undefined],
  ['-1S', undefined],
  ['10', undefined],
  ['S', undefined],
  ['', undefined],
])('a time-out of %j is %j ms', (value, expected) => expect(timeoutOf(value)).toBe(expected));
