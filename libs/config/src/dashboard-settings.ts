import { flag, integer, url } from './parsers';

/** The part of the settings that is about the dashboard. */
export const DASHBOARD_SETTINGS = {
  DASHBOARD: {
    section: 'Dashboard',
    parse: flag,
    fallback: 'true',
    doc: 'false serves no dashboard and lets nobody sign in to one.',
  },
  DASHBOARD_SESSION_HOURS: {
    parse: integer(1, 720, 'hours'),
    fallback: '12',
    doc: 'How long a session of the dashboard lasts at the most.',
  },
  DASHBOARD_IDLE_MINUTES: {
    parse: integer(5, 43_200, 'minutes'),
    fallback: '60',
    doc: 'After so long without a request a session ends; watching live figures is none.',
  },
  GATEWAY_URL: {
    parse: url('http:', 'https:'),
    doc: 'Where clients reach the data plane, for the addresses that the dashboard shows; unset: where it is served itself.',
  },
} as const;
