import { useQuery } from '@tanstack/react-query';
import { Pencil, Plus, Route as RouteIcon, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '../api/client';
import type { Route } from '../api/types';
import { useDone } from '../api/use-done';
import { useGatewayUrl } from '../session/scope';
import {
  limitValuesOf,
  RateLimitFields,
  rateLimitOf,
  type RateLimitValues,
} from '../tenants/rate-limit-fields';
import { Button } from '../ui/button';
import { ConfirmDialog, FormDialog } from '../ui/dialog';
import { FieldRow, SelectField, TextField } from '../ui/field';
import { RowMenu } from '../ui/menu';
import { EmptyState, ErrorState, LoadingRows } from '../ui/states';
import { Badge, Card } from '../ui/surface';
import { ACTIONS, DataTable } from '../ui/table';
import { tell } from '../ui/toast';
import { listOf, textOf, useForm } from '../ui/use-form';

/** Which paths below /api a tenant may call at its own upstream. */
export function RoutesTab({ tenantId }: { tenantId: string }) {
  const gatewayUrl = useGatewayUrl();
  const { data: routes, error, refetch } = useRoutes(tenantId);
  const { replace } = useRouteOperations(tenantId);
  const [editing, setEditing] = useState<number | 'new'>();
  const [removing, setRemoving] = useState<number>();
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!routes) return <LoadingRows />;
  const add = (
    <Button small needs="Routes.add" icon={<Plus size={14} aria-hidden />} onClick={() => setEditing('new')}>
      Add route
    </Button>
  );
  const rows = routes.map((route, index) => ({ route, index }));
  return (
    <Card title="Routes to the tenant’s own upstream" actions={add} bare>
      {rows.length === 0 ? (
        <EmptyState icon={<RouteIcon size={18} aria-hidden />} title="No routes">
          Nothing below {gatewayUrl}/api is open to this tenant.
        </EmptyState>
      ) : (
        <DataTable
          label="Routes"
          rows={rows}
          rowKey={({ index }) => String(index)}
          columns={[
            {
              id: 'path',
              header: 'Path',
              width: 'minmax(0, 2fr)',
              cell: ({ route }) => (
                <span className="mono break">/api{route.path === '/' ? '' : route.path}</span>
              ),
            },
            {
              id: 'methods',
              header: 'Methods',
              cell: ({ route }) => route.methods?.join(', ') ?? <span className="soft">Any</span>,
            },
            { id: 'auth', header: 'Token', cell: ({ route }) => tokenBadge(route) },
            {
              id: 'limit',
              header: 'Limit',
              align: 'end',
              cell: ({ route: { rateLimit } }) =>
                rateLimit ? (
                  `${rateLimit.maxRequests} / ${rateLimit.windowSeconds} s`
                ) : (
                  <span className="faint">None</span>
                ),
            },
            {
              ...ACTIONS,
              cell: ({ route, index }) => (
                <RowMenu
                  label={`Actions for ${route.path}`}
                  items={[
                    {
                      text: 'Edit',
                      icon: <Pencil size={15} />,
                      needs: 'Routes.replace',
                      onSelect: () => setEditing(index),
                    },
                    {
                      text: 'Delete',
                      icon: <Trash2 size={15} />,
                      needs: 'Routes.replace',
                      danger: true,
                      onSelect: () => setRemoving(index),
                    },
                  ]}
                />
              ),
            },
          ]}
        />
      )}
      {editing !== undefined && (
        <RouteForm
          tenantId={tenantId}
          routes={routes}
          index={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      {removing !== undefined && (
        <ConfirmDialog
          title={`Delete the route ${routes[removing]?.path}?`}
          confirm="Delete route"
          onClose={() => setRemoving(undefined)}
          onConfirm={async () => {
            await replace(routes.filter((_route, index) => index !== removing));
            tell('Route deleted');
          }}
        >
          Requests to it are refused from now on.
        </ConfirmDialog>
      )}
    </Card>
  );
}

function tokenBadge({ auth }: Route) {
  if (auth?.jwt === undefined) return <span className="soft">As the tenant</span>;
  return auth.jwt ? <Badge tone="accent">Required</Badge> : <span className="soft">Not asked for</span>;
}

interface RouteFormProps {
  tenantId: string;
  routes: readonly Route[];
  index: number | undefined;
  onClose: () => void;
}

function RouteForm({ tenantId, routes, index, onClose }: RouteFormProps) {
  const route = index === undefined ? undefined : routes[index];
  const { add, replace } = useRouteOperations(tenantId);
  const { field, form } = useForm({
    initial: {
      path: textOf(route?.path),
      methods: (route?.methods ?? []).join(', '),
      jwt: textOf(route?.auth?.jwt),
      ...limitValuesOf(route?.rateLimit),
    },
    send: async (typed) => {
      const next = routeOf(typed, route);
      if (route === undefined) return add(next);
      return replace(routes.map((other) => (other === route ? next : other)));
    },
    onDone: () => {
      tell(route ? 'Route changed' : 'Route added');
      onClose();
    },
  });
  const at = (name: string) => [name, `allowedRoutes.${index ?? routes.length}.${name}`];
  return (
    <FormDialog
      {...form}
      title={route ? `Edit ${route.path}` : 'Add a route'}
      submit={route ? 'Save' : 'Add route'}
      onClose={onClose}
    >
      <TextField
        label="Path"
        required
        autoFocus
        placeholder="/v1/orders"
        hint="It and everything below it."
        {...field('path', ...at('path'))}
      />
      <FieldRow>
        <TextField label="Methods" placeholder="Any" {...field('methods', ...at('methods'))} />
        <SelectField
          label="Bearer token"
          {...field('jwt')}
          options={[
            ['', 'As the tenant says'],
            ['true', 'Required'],
            ['false', 'Not asked for'],
          ]}
        />
      </FieldRow>
      <RateLimitFields field={field} names={at('rateLimit')} placeholder="No limit" />
    </FormDialog>
  );
}

interface RouteValues extends RateLimitValues {
  path: string;
  methods: string;
  jwt: string;
}

/** Fields that the form does not show stay as they are. */
function routeOf({ path, methods, jwt, ...limit }: RouteValues, before: Route | undefined): Route {
  const { methods: _methods, rateLimit: _limit, auth, ...rest } = before ?? { path };
  const { jwt: _jwt, ...policy } = auth ?? {};
  const list = listOf(methods).map((method) => method.toUpperCase());
  const nextAuth = { ...policy, ...(jwt !== '' && { jwt: jwt === 'true' }) };
  const rateLimit = rateLimitOf(limit);
  return {
    ...rest,
    path,
    ...(list.length > 0 && { methods: list }),
    ...(Object.keys(nextAuth).length > 0 && { auth: nextAuth }),
    ...(rateLimit && { rateLimit }),
  } as Route;
}

function useRoutes(tenantId: string) {
  return useQuery({
    queryKey: ['routes', tenantId],
    queryFn: async () =>
      (await data(api.GET('/admin/tenants/{tenantId}/routes', { params: { path: { tenantId } } })))
        .allowedRoutes,
  });
}

function useRouteOperations(tenantId: string) {
  const params = { path: { tenantId } };
  const done = useDone('routes');
  return {
    add: (route: Route) => done(api.POST('/admin/tenants/{tenantId}/routes', { params, body: route })),
    replace: (allowedRoutes: Route[]) =>
      done(api.PUT('/admin/tenants/{tenantId}/routes', { params, body: { allowedRoutes } })),
  };
}
