import type { Live } from '../api/live';
import { Badge, type Tone } from '../ui/surface';

const STATES: Record<Live['state'], readonly [Tone, string]> = {
  connecting: ['quiet', 'Connecting'],
  live: ['good', 'Live'],
  store_away: ['warn', 'Store away'],
  lost: ['bad', 'Connection lost'],
};

export function LiveBadge({ state }: { state: Live['state'] }) {
  const [tone, text] = STATES[state];
  return (
    <span role="status">
      <Badge tone={tone}>{text}</Badge>
    </span>
  );
}
