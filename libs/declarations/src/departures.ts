import { keys } from '#libs/store';
import type { DeclaredDocument, Snapshot } from './snapshot';

/**
 * How long a service is still found that its project has no more. A request may be under way by a published route of
 * the version before, on its way from the look-up of its route to its service: it waits for a key that has to be read, or came
 * before the table of routes had followed. Longer than any of that takes, shorter than anybody minds.
 */
const DEPARTURE_MS = 2000;

/** Services that files have declared until a moment ago. */
export class Departures {
  private readonly until = new Map<string, number>();

  /** When the first of them is gone for good, milliseconds since the epoch; undefined where there is none. */
  get nextAt(): number | undefined {
    return this.until.size === 0 ? undefined : Math.min(...this.until.values());
  }

  /** What is still to be found after a change, beside what files declare: nothing of a project that is gone as a whole. */
  between(before: Snapshot, after: Snapshot, now: number): ReadonlyMap<string, DeclaredDocument> {
    const departing = new Map<string, DeclaredDocument>();
    for (const key of before.allKeys()) {
      const document = before.get(key);
      if (keys.serviceIdOf(key) === undefined || !document?.text || after.get(key)) continue;
      const { tenantId } = JSON.parse(document.text) as { tenantId: string };
      const until = this.until.get(key) ?? now + DEPARTURE_MS;
      if (until > now && after.get(keys.tenant(tenantId))) departing.set(key, document);
      this.until.set(key, until);
    }
    for (const key of this.until.keys()) if (!departing.has(key)) this.until.delete(key);
    return departing;
  }
}
