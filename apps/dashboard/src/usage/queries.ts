import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api, data } from '../api/client';
import type { UsageRow } from '../api/types';
import { useScope } from '../session/scope';
import { stepOf, type Range } from './ranges';
import type { Group } from './series';

interface Asked {
  range: Range;
  group: Group;
  /** Empty: of all services. */
  serviceId: string;
}

export function useUsage({ range, group, serviceId }: Asked) {
  const { tenantId, query } = useScope();
  return useQuery({
    queryKey: ['usage', tenantId, range, group, serviceId],
    placeholderData: keepPreviousData,
    queryFn: async (): Promise<{ rows: UsageRow[]; successes: number }> => {
      const asked = {
        ...query,
        from: new Date(range.from).toISOString(),
        to: new Date(range.to).toISOString(),
        group_by: `${stepOf(range)},${group}`,
      };
      const usage = serviceId
        ? await data(
            api.GET('/usage/{service_id}', { params: { path: { service_id: serviceId }, query: asked } }),
          )
        : await data(api.GET('/usage', { params: { query: asked } }));
      return { rows: usage.rows ?? [], successes: usage.total_requests };
    },
  });
}
