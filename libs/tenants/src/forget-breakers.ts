import type { Store } from '#libs/store';
import { breakerKey, type TargetsOwner } from './equip-targets';

/**
 * Forgets how the circuit breakers of some targets stand, what an operator has ordered included: whoever gets the owner's id
 * next, or the URL again, starts with closed ones. Every replica hears of those that change.
 */
export async function forgetBreakers(
  { breakers }: Pick<Store, 'breakers'>,
  owner: TargetsOwner,
  urls: readonly string[],
): Promise<void> {
  const forget = async (url: string): Promise<void> => {
    const key = breakerKey(owner, url);
    // Most have never opened, and nothing need be written or announced of those.
    const { generation } = await breakers.step(key, { do: 'read' });
    if (generation > 0) await breakers.step(key, { do: 'force', state: 'none', reason: 'removed' });
  };
  await Promise.all(urls.map(forget));
}
