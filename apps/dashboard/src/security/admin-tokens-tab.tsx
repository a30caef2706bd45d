import { Plus, RefreshCw, ShieldBan, UserCog } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '../api/client';
import type { AdminToken } from '../api/types';
import { useDone } from '../api/use-done';
import { usePages } from '../api/use-pages';
import { Button } from '../ui/button';
import { ConfirmDialog, FormDialog } from '../ui/dialog';
import { FieldRow, SelectField, TextField } from '../ui/field';
import { ListCard } from '../ui/list-card';
import { RowMenu } from '../ui/menu';
import { SecretDialog } from '../ui/secret-dialog';
import { EmptyState } from '../ui/states';
import { Badge, Toolbar, type Tone } from '../ui/surface';
import { ACTIONS } from '../ui/table';
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
  const done = useDone('admin-tokens');
  const list = usePages({
    key: ['admin-tokens'],
    load: (page) => data(api.GET('/admin/admin-tokens', { params: { query: { ...page, state: 'all' } } })),
    rows: ({ adminTokens }) => adminTokens,
    next: ({ nextCursor }) => nextCursor,
  });
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [doing, setDoing] = useState<{ what: 'rotate' | 'revoke'; token: AdminToken }>();
  const at = ({ id }: AdminToken) => ({ path: { tokenId: id } });
  return (
    <>
      <Toolbar>
        <Button
          variant="primary"
          needs="AdminTokens.create"
          icon={<Plus size={15} aria-hidden />}
          onClick={() => setCreating(true)}
        >
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
            ...ACTIONS,
            cell: (token) =>
              token.state === 'active' && (
                <RowMenu
                  label={`Actions for ${token.name}`}
                  items={[
                    {
                      text: 'Rotate',
                      icon: <RefreshCw size={15} />,
                      needs: 'AdminTokens.rotate',
                      onSelect: () => setDoing({ what: 'rotate', token }),
                    },
                    {
                      text: 'Revoke',
                      icon: <ShieldBan size={15} />,
                      needs: 'AdminTokens.revoke',
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
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {secret && (
        <SecretDialog title="Your new admin token" secret={secret} onClose={() => setSecret(undefined)} />
      )}
      {doing?.what === 'rotate' && (
        <ConfirmDialog
          title={`Rotate ${doing.token.name}?`}
          confirm="Rotate"
          onClose={() => setDoing(undefined)}
          onConfirm={async () => {
            const params = at(doing.token);
            const body = { graceSeconds: GRACE_SECONDS };
            const rotated = api.POST('/admin/admin-tokens/{tokenId}/rotate', { params, body });
            const { token } = await done(data(rotated));
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
            await done(api.POST('/admin/admin-tokens/{tokenId}/revoke', { params, body: {} }));
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
  const done = useDone('admin-tokens');
  const { values, field, form } = useForm({
    initial: { name: '', role: 'operator', tenantId: '', expiresAt: '' },
    send: ({ name, role, tenantId, expiresAt }) => {
      const terms = {
        ...(role === 'tenant' && { tenantId }),
        ...(expiresAt && { expiresAt: new Date(expiresAt).toISOString() }),
      };
      const body = { name, role: role as AdminToken['role'], ...terms };
      return done(data(api.POST('/admin/admin-tokens', { body })));
    },
    onDone: ({ token }) => onMade(token),
  });
  return (
    <FormDialog {...form} title="Create an admin token" submit="Create" onClose={onClose}>
      <TextField label="Name" required autoFocus {...field('name')} />
      <SelectField label="Role" {...field('role')} options={ROLES} />
      <FieldRow>
        {values.role === 'tenant' && <TextField label="Tenant" required {...field('tenantId')} />}
        <TextField label="Expires" type="datetime-local" {...field('expiresAt')} />
      </FieldRow>
    </FormDialog>
  );
}
