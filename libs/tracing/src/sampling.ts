import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import type { TracingConfig } from '#libs/config';

/** Which requests are recorded. */
export class Sampling {
  private readonly sampler: TraceIdRatioBasedSampler;
  private second = 0;
  private asked = 0;

  /** @param clock monotonic milliseconds. */
  constructor(
    private readonly terms: TracingConfig['sampling'],
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.sampler = new TraceIdRatioBasedSampler(terms.ratio);
  }

  /** @param parentSampled what the caller says about itself; undefined where it says nothing. */
  takes(traceId: string, parentSampled: boolean | undefined): boolean {
    const { followsParent, ratio } = this.terms;
    if (followsParent && parentSampled !== undefined) return parentSampled && this.hasRoom();
    if (ratio === 0) return false;
    if (ratio === 1) return true;
    return this.sampler.shouldSample(ROOT_CONTEXT, traceId).decision !== SamplingDecision.NOT_RECORD;
  }

  /** Anybody can write a header: what it makes the gateway and the upstreams record is bounded. */
  private hasRoom(): boolean {
    const { askedPerSecond } = this.terms;
    if (askedPerSecond === 0) return true;
    const second = Math.floor(this.clock() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.asked = 0;
    }
    this.asked += 1;
    return this.asked <= askedPerSecond;
  }
}
