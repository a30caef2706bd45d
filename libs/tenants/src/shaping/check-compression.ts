import { checkFlag, checkKnown, checkWhole, isDictionary, type Report } from '../field-checks';
import { CODINGS, LEVELS, type Coding } from './compression-policy';

const MAX_MIN_BYTES = 1_048_576;
const MAX_TYPES = 100;
/** RFC 9110 §8.3.1, in lower or upper case, the subtype possibly `*`. */
const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,64}\/(?:\*|[A-Za-z0-9!#$&^_.+-]{1,100})$/;

/** What a tenant, service or route says about compressing its responses. */
export function checkCompression(policy: unknown, field: string, report: Report): void {
  if (policy === undefined || typeof policy === 'boolean') return;
  if (!isDictionary(policy)) return report(field, 'must be true, false or an object');
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(policy, ['algorithms', 'minBytes', 'types', 'events', 'levels'], inner);
  const { algorithms, minBytes, types, events, levels } = policy;
  if (algorithms !== undefined && !areCodings(algorithms))
    inner('algorithms', `must be a list of ${CODINGS.join(', ')}, each once at the most`);
  if (minBytes !== undefined) checkWhole(minBytes, 'minBytes', 0, MAX_MIN_BYTES, inner);
  if (types !== undefined && !areTypes(types))
    inner('types', `must be a list of 1 to ${MAX_TYPES} media types, such as application/json or text/*`);
  if (events !== undefined) checkFlag(events, 'events', inner);
  if (levels !== undefined) checkLevels(levels, inner);
}

function areCodings(list: unknown): boolean {
  if (!Array.isArray(list) || list.length === 0 || new Set(list).size < list.length) return false;
  return list.every((one) => CODINGS.includes(one as Coding));
}

function areTypes(list: unknown): boolean {
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_TYPES) return false;
  return list.every((type) => typeof type === 'string' && MEDIA_TYPE.test(type));
}

function checkLevels(levels: unknown, report: Report): void {
  if (!isDictionary(levels)) return report('levels', 'must be an object');
  checkKnown(levels, CODINGS, (name, message) => report(`levels.${name}`, message));
  for (const coding of CODINGS) {
    const [min, max] = LEVELS[coding];
    if (levels[coding] !== undefined) checkWhole(levels[coding], `levels.${coding}`, min, max, report);
  }
}
