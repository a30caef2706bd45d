import { Counter, Gauge, type Registry } from 'prom-client';

/** How responses were compressed, and what became of the copies that mirrors got. No label comes from outside. */
export class ShapingMetrics {
  /** Responses that are being compressed now. */
  compressing = 0;
  /** Copies of requests that are being made or answered now. */
  mirroring = 0;

  private readonly compressed: Counter<'coding'>;
  private readonly bytes: Counter<'coding' | 'direction'>;
  private readonly uncompressed: Counter<'reason'>;
  private readonly sent: Counter;
  private readonly dropped: Counter<'reason'>;
  private readonly failed: Counter;
  private readonly answers: Counter<'status'>;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> =>
      new Counter({ name, help, labelNames, registers });
    this.compressed = counter('gateway_compressed_responses_total', 'Responses compressed', ['coding']);
    this.bytes = counter('gateway_compression_bytes_total', 'Bytes of compressed bodies, before and after', [
      'coding',
      'direction',
    ]);
    this.uncompressed = counter(
      'gateway_compression_skipped_total',
      'Responses that would have been compressed and were not',
      ['reason'],
    );
    this.sent = counter('gateway_mirror_sent_total', 'Copies of requests sent to mirrors');
    this.dropped = counter('gateway_mirror_dropped_total', 'Copies that were not sent', ['reason']);
    this.failed = counter('gateway_mirror_failed_total', 'Copies that no mirror answered');
    this.answers = counter('gateway_mirror_answers_total', 'Answers of mirrors by status class', ['status']);
    const gauge = (name: string, help: string, value: () => number): void => {
      const collect = (): void => shown.set(value());
      const shown = new Gauge({ name, help, registers, collect });
    };
    gauge('gateway_compressions', 'Responses being compressed now', () => this.compressing);
    gauge('gateway_mirror_inflight', 'Copies of requests under way to mirrors', () => this.mirroring);
  }

  /** A body has left compressed. */
  responseCompressed(coding: string, before: number, after: number): void {
    this.compressed.inc({ coding });
    this.bytes.inc({ coding, direction: 'in' }, before);
    this.bytes.inc({ coding, direction: 'out' }, after);
  }

  /** @param reason a word from the code. */
  compressionSkipped(reason: string): void {
    this.uncompressed.inc({ reason });
  }

  mirrorSent(): void {
    this.sent.inc();
  }

  /** @param reason a word from the code. */
  mirrorDropped(reason: string): void {
    this.dropped.inc({ reason });
  }

  mirrorFailed(): void {
    this.failed.inc();
  }

  mirrorAnswered(status: number): void {
    this.answers.inc({ status: `${Math.floor(status / 100)}xx` });
  }
}
