import { useContext } from 'react';
import type { operations } from '../api/schema';
import { SessionContext } from './session';

/** The operations of the OpenAPI document: a page cannot name one that there is not. */
export type Operation = keyof operations;
/** What a page, a tab or a button needs: one operation, or any of several. */
export type Needs = Operation | readonly Operation[];

/**
 * Whether whoever is signed in may do something: what the gateway itself has said at sign-in, by the table its guard goes by.
 * No page knows roles. Nobody may be signed in, as on the sign-in page: what is there is for everybody.
 */
export function useMay(): (needs: Needs | undefined) => boolean {
  const session = useContext(SessionContext)?.session;
  return (needs) => {
    if (needs === undefined || !session) return true;
    const any = typeof needs === 'string' ? [needs] : needs;
    return any.some((operation) => session.operations.includes(operation));
  };
}
