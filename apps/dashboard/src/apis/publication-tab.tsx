import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Globe, Pencil } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '../api/client';
import { ProblemError } from '../api/problem';
import type { PublishedRoute } from '../api/types';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/dialog';
import { DocumentDialog } from '../ui/document-dialog';
import { EmptyState, ErrorState, LoadingRows, Notice } from '../ui/states';
import { Badge, Card } from '../ui/surface';
import { DataTable } from '../ui/table';
import { tell } from '../ui/toast';

const EXAMPLE = {
  routes: [{ name: 'orders', path: '/shop/orders', stripPrefix: true, backends: [{ service: '1' }] }],
};

/** What the tenant publishes at the gateway's root, by host and path. */
export function PublicationTab({ tenantId }: { tenantId: string }) {
  const queries = useQueryClient();
  const params = { path: { tenantId } };
  const {
    data: publication,
    error,
    isPending,
    refetch,
  } = useQuery({
    queryKey: ['publication', tenantId],
    queryFn: async () => {
      try {
        return await data(api.GET('/admin/tenants/{tenantId}/publication', { params }));
      } catch (reason) {
        if (reason instanceof ProblemError && reason.code === 'publication_not_found') return null;
        throw reason;
      }
    },
  });
  const [open, setOpen] = useState<'edit' | 'remove'>();
  const refresh = () => queries.invalidateQueries({ queryKey: ['publication', tenantId] });
  const save = useMutation({
    mutationFn: (body: unknown) =>
      api.PUT('/admin/tenants/{tenantId}/publication', { params, body: body as { routes: [] } }),
    onSuccess: async () => {
      await refresh();
      tell('Routes published');
      setOpen(undefined);
    },
  });
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (isPending) return <LoadingRows />;
  const broken = publication && 'problems' in publication ? publication.problems : undefined;
  const routes = publication && 'routes' in publication ? (publication.routes as PublishedRoute[]) : [];
  return (
    <Card
      title="Published at the gateway’s root"
      bare
      actions={
        <>
          {publication && (
            <Button small needs="Publication.remove" onClick={() => setOpen('remove')}>
              Withdraw all
            </Button>
          )}
          <Button
            small
            needs="Publication.replace"
            icon={<Pencil size={13} aria-hidden />}
            onClick={() => setOpen('edit')}
          >
            {publication ? 'Edit' : 'Publish'}
          </Button>
        </>
      }
    >
      {broken && (
        <Notice tone="bad">
          The stored document cannot be served:{' '}
          {broken.map(({ field, message }) => `${field} ${message}`).join('; ')}
        </Notice>
      )}
      {routes.length === 0 ? (
        !broken && (
          <EmptyState icon={<Globe size={18} aria-hidden />} title="Nothing is published">
            Services can be mounted at the root of the gateway, by host and path prefix.
          </EmptyState>
        )
      ) : (
        <DataTable
          label="Published routes"
          rows={routes}
          rowKey={({ name }) => name}
          columns={[
            { id: 'name', header: 'Name', cell: ({ name }) => name },
            {
              id: 'path',
              header: 'Host and path',
              width: 'minmax(0, 2fr)',
              cell: ({ hosts, path }) => (
                <span className="mono break">
                  {hosts?.join(', ') ?? '*'}
                  {path}
                </span>
              ),
            },
            {
              id: 'backends',
              header: 'Services',
              cell: ({ backends }) =>
                backends.map(({ service, weight }) => (weight === undefined ? service : `${service} (${weight})`)).join(', '), // prettier-ignore
            },
            {
              id: 'auth',
              header: 'Asks for',
              cell: ({ auth }) => {
                const asked = [auth?.apiKey && 'API key', auth?.jwt && 'Token'].filter(Boolean).join(', ');
                return asked ? <Badge tone="accent">{asked}</Badge> : <Badge tone="warn">Open</Badge>;
              },
            },
          ]}
        />
      )}
      {open === 'edit' && (
        <DocumentDialog
          title="Published routes"
          hint="name, path, hosts, methods, headers, backends, stripPrefix, auth, rateLimit …"
          value={publication ? { routes } : EXAMPLE}
          busy={save.isPending}
          error={save.error}
          onSave={(body) => save.mutate(body)}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === 'remove' && (
        <ConfirmDialog
          title="Withdraw all published routes?"
          confirm="Withdraw"
          onClose={() => setOpen(undefined)}
          onConfirm={async () => {
            await api.DELETE('/admin/tenants/{tenantId}/publication', { params });
            await refresh();
            tell('Routes withdrawn');
          }}
        >
          Their addresses answer 404 from now on. Services stay reachable at /proxy.
        </ConfirmDialog>
      )}
    </Card>
  );
}
