import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { api, data, keepCsrfToken, onSessionEnded } from '../api/client';
import { ProblemError } from '../api/problem';
import type { Session } from '../api/types';

interface SessionState {
  session: Session;
  signOut: () => Promise<void>;
}

export const SessionContext = createContext<SessionState | undefined>(undefined);

/** Who is signed in; only below the sign-in page's gate. */
export function useSession(): SessionState {
  const state = useContext(SessionContext);
  if (!state) throw new Error('nobody is signed in');
  return state;
}

/** @returns undefined where nobody is signed in */
export async function currentSession(): Promise<Session | undefined> {
  try {
    return await data(api.GET('/dashboard/session'));
  } catch (error) {
    if (error instanceof ProblemError && error.status === 401) return undefined;
    throw error;
  }
}

export function SessionGate({
  first,
  signIn,
  children,
}: {
  /** Asked for before React was there. */
  first: Session | undefined;
  signIn: (enter: (session: Session) => void, ended: boolean) => ReactNode;
  children: ReactNode;
}) {
  const queries = useQueryClient();
  const [session, setSession] = useState(first);
  const [ended, setEnded] = useState(false);
  keepCsrfToken(session?.csrfToken ?? '');
  useEffect(() => {
    onSessionEnded(() => {
      setSession(undefined);
      setEnded(true);
    });
  }, []);
  // What one user has seen must not be there for the next.
  useEffect(() => {
    if (!session) queries.clear();
  }, [queries, session]);
  const state = useMemo(
    () =>
      session && {
        session,
        signOut: async () => {
          await api.DELETE('/dashboard/session');
          setEnded(false);
          setSession(undefined);
        },
      },
    [session],
  );
  if (!state) {
    return signIn((entered) => {
      setEnded(false);
      setSession(entered);
    }, ended);
  }
  return <SessionContext value={state}>{children}</SessionContext>;
}
