import { Counter, type Registry } from 'prom-client';

/** Counts connections that were closed for their PROXY header. @returns called with the reason: a word from the code */
export function proxyProtocolRefusals(registry: Registry): (reason: string) => void {
  const refusals = new Counter({
    name: 'gateway_proxy_protocol_refusals_total',
    help: 'Connections closed because their PROXY protocol header was missing or could not be used',
    labelNames: ['reason'],
    registers: [registry],
  });
  return (reason) => refusals.inc({ reason });
}
