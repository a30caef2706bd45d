import { useState, type FormEvent } from 'react';
import { api, data } from '../api/client';
import { ProblemError } from '../api/problem';
import type { Session } from '../api/types';
import { Brand } from '../shell/brand';
import { Button } from '../ui/button';
import { TextField } from '../ui/field';
import { ErrorNotice, Notice } from '../ui/states';
import styles from './sign-in.module.css';

/** What has no form of a token is no more known than a wrong one. */
const NOT_KNOWN = ['sign_in_failed', 'validation_failed'];

/** The token goes to the gateway once and is forgotten here; what remains is a cookie that script cannot read. */
export function SignInPage({ enter, ended }: { enter: (session: Session) => void; ended: boolean }) {
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const session = await data(api.POST('/dashboard/session', { body: { token: token.trim() } }));
      setToken('');
      enter(session);
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  const refused = error instanceof ProblemError && NOT_KNOWN.includes(error.code);
  return (
    <main className={styles.page}>
      <title>Sign in · Gatehouse</title>
      <div className={styles.box}>
        <div className={styles.brand}>
          <Brand size={28} /> Gatehouse
        </div>
        <div>
          <h1>Sign in</h1>
          <p className={styles.lead}>
            With an admin token, an API key that manages its tenant, or a portal token.
          </p>
        </div>
        {ended && !error && <Notice tone="info">Your session has ended. Sign in again.</Notice>}
        <form className={styles.form} onSubmit={(event) => void submit(event)} noValidate>
          <TextField
            label="Token"
            type="password"
            name="token"
            required
            autoFocus
            autoComplete="off"
            value={token}
            onChange={setToken}
            error={refused ? 'This token is not known, or is not in force any more.' : undefined}
          />
          {error && !refused ? <ErrorNotice error={error} /> : null}
          <Button type="submit" variant="primary" busy={busy} disabled={token.trim() === ''}>
            Sign in
          </Button>
        </form>
      </div>
    </main>
  );
}
