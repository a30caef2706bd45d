import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus, Ticket } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '../api/client';
import { fieldError } from '../api/problem';
import type { Token } from '../api/types';
import { usePages } from '../api/use-pages';
import { Button } from '../ui/button';
import { FormDialog } from '../ui/dialog';
import { FieldRow, FilterSelect, TextField } from '../ui/field';
import { ListCard } from '../ui/list-card';
import { EmptyState } from '../ui/states';
import { Badge, Toolbar, type Tone } from '../ui/surface';
import { Ago } from '../ui/time';
import { tell } from '../ui/toast';
import { numberOf, useForm } from '../ui/use-form';
import { NewKeyDialog } from '../keys/key-actions';

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
    load: (cursor) =>
      data(
        api.GET('/admin/tokens', {
          params: { query: { project: tenantId, state, limit: 100, ...(cursor && { cursor }) } },
        }),
      ),
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
        <Button variant="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setIssuing(true)}>
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
            id: 'actions',
            header: '',
            width: '76px',
            align: 'end',
            unnamed: true,
            cell: (token) =>
              token.state === 'active' && (
                <Button small onClick={() => setRevoking(token)} aria-label={`Revoke ${token.service}`}>
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
      {secret && <NewKeyDialog title="Your new token" secret={secret} onClose={() => setSecret(undefined)} />}
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
  const queries = useQueryClient();
  const { values, set } = useForm({ service: '', description: '', days: '90' });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () =>
      data(
        api.POST('/admin/tokens', {
          body: {
            project,
            service: values.service,
            ...(values.description && { description: values.description }),
            ...(numberOf(values.days) !== undefined && { expiresInDays: numberOf(values.days) }),
          },
        }),
      ),
    onSuccess: async ({ token }) => {
      await queries.invalidateQueries({ queryKey: ['tokens'] });
      onIssued(token);
    },
  });
  return (
    <FormDialog
      title="Issue a token"
      description={`For the project ${project}`}
      submit="Issue token"
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <FieldRow>
        <TextField
          label="Service"
          required
          autoFocus
          placeholder="worker"
          hint="“portal” opens this dashboard."
          value={values.service}
          onChange={set('service')}
          error={fieldError(error, 'service')}
        />
        <TextField
          label="Days until it expires"
          inputMode="numeric"
          value={values.days}
          onChange={set('days')}
          error={fieldError(error, 'expiresInDays')}
        />
      </FieldRow>
      <TextField
        label="Description"
        value={values.description}
        onChange={set('description')}
        error={fieldError(error, 'description')}
      />
    </FormDialog>
  );
}

function RevokeDialog({ of: token, onClose }: { of: Token; onClose: () => void }) {
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const { mutate, isPending, error } = useMutation({
    mutationFn: () =>
      data(
        api.POST('/admin/tokens/{jti}/revoke', {
          params: { path: { jti: token.jti }, query: { wait: true } },
          body: { reason },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['tokens'] });
      tell('Token revoked', 'Every replica refuses it.');
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Revoke the token of ${token.service}?`}
      description="Every replica refuses it from now on, and its open streams are closed. This cannot be undone."
      submit="Revoke token"
      danger
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <TextField
        label="Reason"
        required
        autoFocus
        placeholder="Token lost"
        value={reason}
        onChange={setReason}
        error={fieldError(error, 'reason')}
      />
    </FormDialog>
  );
}
