/**
 * load: how much at once. Slots for requests under way and memory for bodies, shared fairly between tenants; places for
 * streams; the limit that follows the delay of the event loop; connections by address.
 * Not here: rates (`guards`, limits), and what is answered to whom (data plane).
 */
export { FairSlots } from './fair-slots';
export { Waiter, type ShedReason, type Verdict } from './waiter';
export { Account, type LoadLimits } from './account';
export {
  Concurrency,
  type ConcurrencySettings,
  type Occupant,
  type ServiceLoad,
  type SlotHolder,
} from './concurrency';
export { LoopDelay } from './loop-delay';
export { DelayGovernedLimit } from './delay-governed-limit';
export { ConnectionCaps } from './connection-caps';
export { FairBytes } from './fair-bytes';
export { PaceWatch, type Paced } from './pace-watch';
