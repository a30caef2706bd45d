import { Server } from 'node:http';
import { Socket } from 'node:net';
import { ProxyConnections } from './proxy-connections';

/** Proxies send it with their first segment. */
const TIMEOUT_MS = 5000;
const HEADER = 'PROXY TCP4 203.0.113.7 10.0.0.1 40000 443\r\n';

/** A connection of a trusted proxy to a server that asks for a header, or takes one. */
function connect(required: boolean) {
  const server = new Server();
  server.removeAllListeners('connection');
  const handedOn: Array<string | undefined> = [];
  server.on('connection', (socket: Socket) => handedOn.push(socket.remoteAddress));
  const faults: string[] = [];
  new ProxyConnections({
    required,
    proxies: { peer: (address: string) => ({ address, trusted: true }) } as never,
    refused: (fault) => faults.push(fault),
  }).precede(server);
  const socket = new Socket();
  server.emit('connection', socket);
  return { socket, faults, handedOn, say: (text: string) => socket.emit('data', Buffer.from(text)) };
}

describe('a proxy that does not say who is there in time', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick'] }));
  afterEach(() => void jest.useRealTimers());

  it.each<[title: string, required: boolean, said: string, faults: string[], handedOn: number]>([
    ['nothing, where it has to', true, '', ['timeout'], 0],
    ['half of a header, where it has to', true, HEADER.slice(0, 20), ['timeout'], 0],
    // Who may do without one may be slow: the server has time-outs of its own.
    ['nothing, where it need not', false, '', [], 1],
    ['half of a header, where it need not', false, HEADER.slice(0, 20), ['timeout'], 0],
  ])('says %s', (_title, required, said, faults, handedOn) => {
    const one = connect(required);
    if (said !== '') one.say(said);
    jest.advanceTimersByTime(TIMEOUT_MS - 1);
    expect([one.faults, one.handedOn, one.socket.destroyed]).toEqual([[], [], false]);
    jest.advanceTimersByTime(1);
    expect([one.faults, one.handedOn.length]).toEqual([faults, handedOn]);
    expect(one.socket.destroyed).toBe(handedOn === 0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has all of the time, and none of it counts when the header has come', () => {
    const one = connect(true);
    one.say(HEADER.slice(0, 20));
    jest.advanceTimersByTime(TIMEOUT_MS - 1);
    one.say(HEADER.slice(20));
    expect(one.handedOn).toEqual(['203.0.113.7']);
    jest.advanceTimersByTime(TIMEOUT_MS);
    expect([one.faults, one.socket.destroyed, jest.getTimerCount()]).toEqual([[], false, 0]);
    one.socket.destroy();
  });

  it('leaves no timer behind when it goes', () => {
    const one = connect(true);
    one.socket.emit('close');
    expect([one.faults, jest.getTimerCount()]).toEqual([[], 0]);
  });
});
