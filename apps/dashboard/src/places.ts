import {
  Activity,
  Archive,
  Building2,
  ChartLine,
  CreditCard,
  KeyRound,
  Route,
  ShieldCheck,
  Waypoints,
  Webhook,
  Wrench,
} from 'lucide-react';
import type { Needs } from './session/may';

/** A page that can be gone to from everywhere. */
export interface Place {
  path: string;
  text: string;
  Icon: typeof Activity;
  /** What it shows first; whoever may not see that has no such page. */
  needs: Needs;
}

/** By what they are about. */
export const PLACES: ReadonlyArray<{ title: string; places: readonly Place[] }> = [
  {
    title: 'Gateway',
    places: [
      {
        path: '/overview',
        text: 'Overview',
        Icon: Activity,
        needs: ['Overview.stream', 'Overview.streamMine'],
      },
      { path: '/tenants', text: 'Tenants', Icon: Building2, needs: 'Tenants.list' },
      { path: '/maintenance', text: 'Maintenance', Icon: Wrench, needs: 'Maintenance.show' },
      { path: '/webhooks', text: 'Webhooks', Icon: Webhook, needs: 'Webhooks.list' },
      { path: '/backup', text: 'Backup', Icon: Archive, needs: ['Backup.take', 'Backup.restore'] },
    ],
  },
  {
    title: 'APIs',
    places: [
      { path: '/apis', text: 'APIs', Icon: Waypoints, needs: 'PortalServices.list' },
      { path: '/keys', text: 'API keys', Icon: KeyRound, needs: ['PortalKeys.list', 'Me.showKey'] },
      { path: '/usage', text: 'Usage', Icon: ChartLine, needs: ['Usage.showAll', 'Usage.show'] },
      { path: '/billing', text: 'Billing', Icon: CreditCard, needs: 'Billing.summary' },
    ],
  },
  {
    title: 'Trust',
    places: [
      {
        path: '/security',
        text: 'Security',
        Icon: ShieldCheck,
        needs: ['Refusals.list', 'Refusals.listMine'],
      },
      { path: '/explain', text: 'Explain', Icon: Route, needs: ['Explain.explain', 'Explain.explainMine'] },
    ],
  },
];

const ALL: readonly Place[] = PLACES.flatMap(({ places }) => places);

export const placeAt = (path: string): Place | undefined => ALL.find((place) => place.path === path);

/** Where somebody begins who has asked for nothing that he may see; undefined for whom there is nothing. */
export function firstPlace(may: (needs: Needs) => boolean): Place | undefined {
  return ALL.find(({ needs }) => may(needs));
}
