import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus, RefreshCw, ShieldBan, UserCog } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '../api/client';
import { fieldError } from '../api/problem';
import type { AdminToken } from '../api/types';
import { usePages } from '../api/use-pages';
import { NewKeyDialog } from '../keys/key-actions';
import { Button } from '../ui/button';
import { ConfirmDialog, FormDialog } from '../ui/dialog';
import { FieldRow, SelectField, TextField } from '../ui/field';
import { ListCard } from '../ui/list-card';
import { RowMenu } from '../ui/menu';
import { EmptyState } from '../ui/states';
import { Badge, Toolbar, type Tone } from '../ui/surface';
import { Ago } from '../ui/time';
import { tell } from '../ui/toast';
import { useForm } from '../ui/use-form';

const ROLES = [
  ['operator', 'Operator: changes everything but admin tokens'],
  ['viewer', 'Viewer: reads everything'],
  ['tenant', 'Tenant: everything of one tenant'],
  ['metrics', 'Metrics: reads /metrics'],
  ['owner', 'Owner: everything'],
] as const;
const TONES: Record<AdminToken['state'], Tone> = { active: 'good', revoked: 'bad', expired: 'quiet' };
const GRACE_SECONDS = 3600;

/** Who may change the gateway besides the owner, and what. */
export function AdminTokensTab() {
  const queries = useQueryClient();
  const list = usePages({
    key: ['admin-tokens'],
    load: (cursor) =>
      data(
        api.GET('/admin/admin-tokens', {
          params: { query: { state: 'all', limit: 100, ...(cursor && { cursor }) } },
        }),
      ),
    rows: ({ adminTokens }) => adminTokens,
    next: ({ nextCursor }) => nextCursor,
  });
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [doing, setDoing] = useState<{ what: 'rotate' | 'revoke'; token: AdminToken }>();
  const at = ({ id }: AdminToken) => ({ path: { tokenId: id } });
  const refresh = () => queries.invalidateQueries({ queryKey: ['admin-tokens'] });
  return (
    <>
      <Toolbar>
        <Button variant="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setCreating(true)}>
          Create admin token
        </Button>
      </Toolbar>
      <ListCard
        label="Admin tokens"
        list={list}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon={<UserCog size={18} aria-hidden />} title="No admin tokens">
            Give each person and each program a token of its own, with no more than it needs.
          </EmptyState>
        }
        columns={[
          {
            id: 'name',
            header: 'Name',
            width: 'minmax(0, 1.6fr)',
            cell: ({ name, prefix }) => (
              <div>
                <div>{name}</div>
                <div className="mono faint">{prefix}…</div>
              </div>
            ),
          },
          {
            id: 'role',
            header: 'Role',
            cell: ({ role, tenantId }) => (tenantId ? `${role} of ${tenantId}` : role),
          },
          { id: 'state', header: 'State', cell: ({ state }) => <Badge tone={TONES[state]}>{state}</Badge> },
          {
            id: 'used',
            header: 'Last used',
            cell: ({ lastUsedAt }) =>
              lastUsedAt ? <Ago at={lastUsedAt} /> : <span className="faint">Never</span>,
          },
          {
            id: 'expires',
            header: 'Expires',
            align: 'end',
            cell: ({ expiresAt }) =>
              expiresAt ? <Ago at={expiresAt} /> : <span className="faint">Never</span>,
          },
          {
            id: 'actions',
            header: '',
            width: '30px',
            align: 'end',
            unnamed: true,
            cell: (token) =>
              token.state === 'active' && (
                <RowMenu
                  label={`Actions for ${token.name}`}
                  items={[
                    {
                      text: 'Rotate',
                      icon: <RefreshCw size={15} />,
                      onSelect: () => setDoing({ what: 'rotate', token }),
                    },
                    {
                      text: 'Revoke',
                      icon: <ShieldBan size={15} />,
                      danger: true,
                      onSelect: () => setDoing({ what: 'revoke', token }),
                    },
                  ]}
                />
              ),
          },
        ]}
      />
      {creating && (
        <CreateDialog
          onMade={(token) => {
            setCreating(false);
            setSecret(token);
            void refresh();
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {secret && (
        <NewKeyDialog title="Your new admin token" secret={secret} onClose={() => setSecret(undefined)} />
      )}
      {doing?.what === 'rotate' && (
        <ConfirmDialog
          title={`Rotate ${doing.token.name}?`}
          confirm="Rotate"
          onClose={() => setDoing(undefined)}
          onConfirm={async () => {
            const params = at(doing.token);
            const body = { graceSeconds: GRACE_SECONDS };
            const { token } = await data(api.POST('/admin/admin-tokens/{tokenId}/rotate', { params, body }));
            await refresh();
            setSecret(token);
          }}
        >
          A new token takes its place; the old one works for another hour.
        </ConfirmDialog>
      )}
      {doing?.what === 'revoke' && (
        <ConfirmDialog
          title={`Revoke ${doing.token.name}?`}
          confirm="Revoke"
          onClose={() => setDoing(undefined)}
          onConfirm={async () => {
            const params = { ...at(doing.token), query: { wait: true } };
            await api.POST('/admin/admin-tokens/{tokenId}/revoke', { params, body: {} });
            await refresh();
            tell('Admin token revoked');
          }}
        >
          Whoever has it is refused from now on, here too. This cannot be undone.
        </ConfirmDialog>
      )}
    </>
  );
}

function CreateDialog({ onMade, onClose }: { onMade: (token: string) => void; onClose: () => void }) {
  const { values, set } = useForm({ name: '', role: 'operator', tenantId: '', expiresAt: '' });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () =>
      data(
        api.POST('/admin/admin-tokens', {
          body: {
            name: values.name,
            role: values.role as AdminToken['role'],
            ...(values.role === 'tenant' && { tenantId: values.tenantId }),
            ...(values.expiresAt && { expiresAt: new Date(values.expiresAt).toISOString() }),
          },
        }),
      ),
    onSuccess: ({ token }) => onMade(token),
  });
  return (
    <FormDialog
      title="Create an admin token"
      submit="Create"
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <TextField
        label="Name"
        required
        autoFocus
        value={values.name}
        onChange={set('name')}
        error={fieldError(error, 'name')}
      />
      <SelectField label="Role" value={values.role} onChange={set('role')} options={ROLES} />
      <FieldRow>
        {values.role === 'tenant' && (
          <TextField
            label="Tenant"
            required
            value={values.tenantId}
            onChange={set('tenantId')}
            error={fieldError(error, 'tenantId')}
          />
        )}
        <TextField
          label="Expires"
          type="datetime-local"
          value={values.expiresAt}
          onChange={set('expiresAt')}
          error={fieldError(error, 'expiresAt')}
        />
      </FieldRow>
    </FormDialog>
  );
}
