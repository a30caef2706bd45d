import { Plus, Ticket } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '../api/client';
import type { Token } from '../api/types';
import { useDone } from '../api/use-done';
import { usePages } from '../api/use-pages';
import { Button } from '../ui/button';
import { FormDialog } from '../ui/dialog';
import { FieldRow, FilterSelect, TextField } from '../ui/field';
import { ListCard } from '../ui/list-card';
import { SecretDialog } from '../ui/secret-dialog';
import { EmptyState } from '../ui/states';
import { Badge, Toolbar, type Tone } from '../ui/surface';
import { ACTIONS } from '../ui/table';
import { Ago } from '../ui/time';
import { tell } from '../ui/toast';
import { numberOf, useForm } from '../ui/use-form';

const STATES = [
  ['active', 'In force'],
  ['revoked', 'Revoked'],
  ['expired', 'Expired'],
  ['all', 'All'],
] as const;
const TONES: Record<Token['state'], readonly [Tone, string]> = {
  active: ['good', 'In force'],
  revoked: ['bad', 'Revoked'],
  expired: ['quiet', 'Expired'],
};

/** Service tokens that the gateway signs: for a service of a project, or for the portal. */
export function TokensTab({ tenantId }: { tenantId: string }) {
  const [state, setState] = useState<Token['state'] | 'all'>('active');
  const [issuing, setIssuing] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [revoking, setRevoking] = useState<Token>();
  const list = usePages({
    key: ['tokens', tenantId, state],
    load: (page) =>
      data(api.GET('/admin/tokens', { params: { query: { ...page, project: tenantId, state } } })),
    rows: ({ tokens }) => tokens,
    next: ({ nextCursor }) => nextCursor,
  });
  return (
    <>
      <Toolbar>
        <FilterSelect
          label="State"
          value={state}
          onChange={(value) => setState(value as typeof state)}
          options={STATES}
        />
        <Button
          variant="primary"
          needs="Tokens.issue"
          icon={<Plus size={15} aria-hidden />}
          onClick={() => setIssuing(true)}
        >
          Issue token
        </Button>
      </Toolbar>
      <ListCard
        label="Tokens"
        list={list}
        rowKey={({ jti }) => jti}
        empty={
          <EmptyState icon={<Ticket size={18} aria-hidden />} title="No tokens here">
            A token is for one service of the tenant. One for the service “portal” opens this dashboard.
          </EmptyState>
        }
        columns={[
          {
            id: 'service',
            header: 'Service',
            width: 'minmax(0, 1.6fr)',
            cell: ({ service, description, jti }) => (
              <div>
                <div>{service}</div>
                <div className="faint" title={jti}>
                  {description ?? jti}
                </div>
              </div>
            ),
          },
          {
            id: 'state',
            header: 'State',
            cell: ({ state: now, revoked }) => (
              <span title={revoked && `${revoked.reason}, by ${revoked.actor}`}>
                <Badge tone={TONES[now][0]}>{TONES[now][1]}</Badge>
              </span>
            ),
          },
          { id: 'created', header: 'Issued', cell: ({ createdAt }) => <Ago at={createdAt} /> },
          { id: 'by', header: 'By', cell: ({ createdBy }) => createdBy },
          { id: 'expires', header: 'Expires', align: 'end', cell: ({ expiresAt }) => <Ago at={expiresAt} /> },
          {
            ...ACTIONS,
            width: '76px',
            cell: (token) =>
              token.state === 'active' && (
                <Button
                  small
                  needs="Tokens.revoke"
                  onClick={() => setRevoking(token)}
                  aria-label={`Revoke ${token.service}`}
                >
                  Revoke
                </Button>
              ),
          },
        ]}
      />
      {issuing && (
        <IssueDialog
          project={tenantId}
          onIssued={(token) => {
            setIssuing(false);
            setSecret(token);
          }}
          onClose={() => setIssuing(false)}
        />
      )}
      {secret && <SecretDialog title="Your new token" secret={secret} onClose={() => setSecret(undefined)} />}
      {revoking && <RevokeDialog of={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

interface IssueDialogProps {
  project: string;
  onIssued: (token: string) => void;
  onClose: () => void;
}

function IssueDialog({ project, onIssued, onClose }: IssueDialogProps) {
  const done = useDone('tokens');
  const { field, form } = useForm({
    initial: { service: '', description: '', days: '90' },
    send: ({ service, description, days }) => {
      const expiresInDays = numberOf(days);
      const terms = {
        ...(description && { description }),
        ...(expiresInDays !== undefined && { expiresInDays }),
      };
      return done(data(api.POST('/admin/tokens', { body: { project, service, ...terms } })));
    },
    onDone: ({ token }) => onIssued(token),
  });
  return (
    <FormDialog
      {...form}
      title="Issue a token"
      description={`For the project ${project}`}
      submit="Issue token"
      onClose={onClose}
    >
      <FieldRow>
        <TextField
          label="Service"
          required
          autoFocus
          placeholder="worker"
          hint="“portal” opens this dashboard."
          {...field('service')}
        />
        <TextField label="Days until it expires" inputMode="numeric" {...field('days', 'expiresInDays')} />
      </FieldRow>
      <TextField label="Description" {...field('description')} />
    </FormDialog>
  );
}

function RevokeDialog({ of: token, onClose }: { of: Token; onClose: () => void }) {
  const done = useDone('tokens');
  const { field, form } = useForm({
    initial: { reason: '' },
    send: (body) => {
      const params = { path: { jti: token.jti }, query: { wait: true } };
      return done(data(api.POST('/admin/tokens/{jti}/revoke', { params, body })));
    },
    onDone: () => {
      tell('Token revoked', 'Every replica refuses it.');
      onClose();
    },
  });
  return (
    <FormDialog
      {...form}
      title={`Revoke the token of ${token.service}?`}
      description="Every replica refuses it from now on, and its open streams are closed. This cannot be undone."
      submit="Revoke token"
      danger
      onClose={onClose}
    >
      <TextField label="Reason" required autoFocus placeholder="Token lost" {...field('reason')} />
    </FormDialog>
  );
}
