import { SCENARIOS } from './scenarios.mjs';

/** More than this at a time are not begun: a gateway that is slow must not be buried. */
const MAX_PENDING = 64;
const TICK_MS = 20;
const WEIGHT = SCENARIOS.reduce((sum, { weight }) => sum + weight, 0);
/** Kept of what was not expected. */
const MAX_EXAMPLES = 20;

/** Mixed traffic at a rate, and what became of it. */
export class Traffic {
  /** Requests or actions per second. */
  rate;
  /** @type {Map<string, Map<string, number>>} */
  tally = new Map(SCENARIOS.map(({ name }) => [name, new Map()]));
  begun = 0;
  unexpected = 0;
  /** @type {string[]} */
  examples = [];
  /** @type {Set<Promise<void>>} */
  #pending = new Set();
  #due = 0;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /**
   * @param {import('./world.mjs').World} world
   * @param {number} rate
   */
  constructor(world, rate) {
    this.world = world;
    this.rate = rate;
  }

  start() {
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#due = Math.min(MAX_PENDING, this.#due + ((now - last) * this.rate) / 1000);
      last = now;
      for (; this.#due >= 1 && this.#pending.size < MAX_PENDING; this.#due--) this.#begin();
    }, TICK_MS);
  }

  async stop() {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
  }

  #begin() {
    const scenario = choose();
    this.begun += 1;
    const pending = scenario
      .run(this.world)
      .catch((error) => `${error.code ?? error.message}`)
      .then((outcome) => this.#note(scenario, outcome))
      .finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }

  /**
   * @param {import('./scenarios.mjs').Scenario} scenario
   * @param {string} outcome
   */
  #note({ name, expects }, outcome) {
    const counts = /** @type {Map<string, number>} */ (this.tally.get(name));
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (expects.includes(outcome)) return;
    this.unexpected += 1;
    if (this.examples.length < MAX_EXAMPLES)
      this.examples.push(`${new Date().toISOString()} ${name}: ${outcome}`);
  }
}

function choose() {
  let at = Math.random() * WEIGHT;
  for (const scenario of SCENARIOS) if ((at -= scenario.weight) < 0) return scenario;
  return /** @type {import('./scenarios.mjs').Scenario} */ (SCENARIOS[0]);
}
