import { Agent, get } from 'node:http';
import type { Answer } from './client';

const POLL_MS = 50;

/** How a load balancer chooses: in turns among those that say that they are ready, on connections that it keeps. */
export class Balancer {
  private readonly agents: ReadonlyMap<number, Agent>;
  private readonly readiness = new Set<number>();
  private readonly timer: NodeJS.Timeout;
  private turn = 0;

  constructor(private readonly ports: readonly number[]) {
    this.agents = new Map(ports.map((port) => [port, new Agent({ keepAlive: true })]));
    this.timer = setInterval(() => this.poll(), POLL_MS);
  }

  /** How many are ready. */
  get ready(): number {
    return this.readiness.size;
  }

  /** A request goes to one of them. That it is repeated where it fails is nobody's doing: each failure counts. */
  send(ask: (port: number, agent: Agent) => Promise<Answer>): Promise<Answer> {
    const ready = this.ports.filter((port) => this.readiness.has(port));
    const candidates = ready.length > 0 ? ready : this.ports;
    const port = candidates[this.turn++ % candidates.length] as number;
    return ask(port, this.agents.get(port) as Agent);
  }

  close(): void {
    clearInterval(this.timer);
    for (const agent of this.agents.values()) agent.destroy();
  }

  private poll(): void {
    for (const port of this.ports) {
      const note = (isReady: boolean): void =>
        void (isReady ? this.readiness.add(port) : this.readiness.delete(port));
      get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (answer) => {
        answer.resume();
        note(answer.statusCode === 200);
      }).on('error', () => note(false));
    }
  }
}
