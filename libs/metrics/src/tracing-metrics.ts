import { Counter, type Registry } from 'prom-client';

/** @returns called with what became of so many spans: `exported`, `failed` or `dropped`. */
export function traceSpans(registry: Registry): (outcome: string, spans: number) => void {
  const counter = new Counter({
    name: 'gateway_trace_spans_total',
    help: 'Spans by what became of them: exported, failed (the collector did not take them) or dropped (the queue was full)',
    labelNames: ['outcome'],
    registers: [registry],
  });
  return (outcome, spans) => counter.inc({ outcome }, spans);
}
