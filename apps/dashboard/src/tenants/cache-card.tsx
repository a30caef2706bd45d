import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, data } from '../api/client';
import { useDone } from '../api/use-done';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/dialog';
import { bytes, counted } from '../ui/format';
import { ErrorNotice, LoadingRows } from '../ui/states';
import { Card, Fact, Facts } from '../ui/surface';
import { tell } from '../ui/toast';

/** Responses that are kept for a tenant. */
export function CacheCard({ tenantId }: { tenantId: string }) {
  const done = useDone('cache');
  const params = { path: { tenantId } };
  const [purging, setPurging] = useState(false);
  const { data: cache, error } = useQuery({
    queryKey: ['cache', tenantId],
    queryFn: () => data(api.GET('/admin/tenants/{tenantId}/cache', { params })),
  });
  const tier = (kept: { entries: number; bytes: number } | null | undefined) =>
    kept ? `${counted(kept.entries, 'response')}, ${bytes(kept.bytes)}` : 'None';
  return (
    <Card
      title="Stored responses"
      actions={
        <Button small needs="Cache.purge" onClick={() => setPurging(true)}>
          Forget all
        </Button>
      }
    >
      {error ? (
        <ErrorNotice error={error} />
      ) : cache ? (
        <Facts>
          <Fact term="In memory">{tier(cache.memory)}</Fact>
          <Fact term="In Redis">{tier(cache.shared)}</Fact>
        </Facts>
      ) : (
        <LoadingRows rows={2} />
      )}
      {purging && (
        <ConfirmDialog
          title={`Forget all stored responses of ${tenantId}?`}
          confirm="Forget all"
          onClose={() => setPurging(false)}
          onConfirm={async () => {
            await done(
              api.POST('/admin/tenants/{tenantId}/cache/purge', {
                params: { ...params, query: { wait: true } },
                body: { everything: true },
              }),
            );
            tell('Every replica has forgotten them');
          }}
        >
          The next requests go to the upstream.
        </ConfirmDialog>
      )}
    </Card>
  );
}
