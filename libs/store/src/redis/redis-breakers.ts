import { Cluster, type Redis } from 'ioredis';
import { CHANGES_CHANNEL } from '../keys';
import type { Breakers, BreakerStep, BreakerView } from '../store';
import { BREAKER } from './breaker-script';
import type { RedisHealth } from './redis-health';
import { callScript, Script, type ScriptReply } from './script-call';

const SCRIPT = new Script(BREAKER);

interface BreakerClient {
  gatehouseBreaker(key: string, ...args: Array<string | number>): Promise<ScriptReply>;
}

/** Breakers in Redis: one script for every step. Nothing here is called while a breaker is closed. */
export class RedisBreakers implements Breakers {
  private readonly client: (Redis | Cluster) & BreakerClient;

  constructor(
    client: Redis | Cluster,
    private readonly health: RedisHealth,
  ) {
    client.defineCommand('gatehouseBreaker', { numberOfKeys: 1, lua: BREAKER });
    this.client = client as (Redis | Cluster) & BreakerClient;
  }

  async step(key: string, step: BreakerStep): Promise<BreakerView> {
    const { client } = this;
    const args = argumentsOf(step);
    const reply = await this.health.run(() =>
      client instanceof Cluster
        ? client.gatehouseBreaker(key, ...args)
        : callScript(client, SCRIPT, [key], args),
    );
    return viewIn(reply);
  }
}

function argumentsOf(step: BreakerStep): Array<string | number> {
  const { openMs, maxOpenMs, probes, permitMs } = 'terms' in step ? step.terms : NO_TERMS;
  return [
    CHANGES_CHANNEL,
    step.do,
    ('generation' in step ? step.generation : undefined) ?? '',
    'id' in step ? step.id : '',
    'outcome' in step ? step.outcome : 'state' in step ? step.state : '',
    openMs,
    maxOpenMs,
    probes,
    permitMs,
    'reason' in step ? step.reason : '',
  ];
}

const NO_TERMS = { openMs: 0, maxOpenMs: 0, probes: 0, permitMs: 0 };

function viewIn(reply: ScriptReply): BreakerView {
  const [state, generation, remainingMs, sinceMs, openings, openMs, reason, succeeded, probing, granted] =
    reply;
  return {
    state: state as BreakerView['state'],
    generation: Number(generation),
    remainingMs: Number(remainingMs),
    sinceMs: Number(sinceMs),
    openings: Number(openings),
    openMs: Number(openMs),
    reason: String(reason),
    succeeded: Number(succeeded),
    probing: Number(probing),
    granted: granted === 1,
  };
}
