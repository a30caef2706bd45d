import type { Fault } from './fault';
import { startHttpUpstream } from './servers';

const WIDTH = 10;

/** No fault at all: what a gateway is used to before the first one. */
export const WARM_UP: Fault = {
  name: 'warm-up',
  title: 'everything is well',
  stage: 'standalone',
  gets: ['200'],
  repetitions: 50,
  short: 50,
  async open(row) {
    const upstream = await row.upstream(startHttpUpstream((_request, response) => void response.end('ok')));
    const { key } = await row.tenant(upstream.url);
    return {
      repeat: async () => void (await Promise.all(Array.from({ length: WIDTH }, () => row.ask({ key })))),
      close: () => upstream.stop(),
    };
  },
};
