import { useQuery } from '@tanstack/react-query';
import { api, data } from '../api/client';
import type { PlanInput, Statement, TermsPatch } from '../api/types';
import { useDone } from '../api/use-done';
import { usePages } from '../api/use-pages';
import { useMay } from '../session/may';
import { useScope } from '../session/scope';

export function useSummary() {
  const { tenantId, query } = useScope();
  return useQuery({
    queryKey: ['billing', tenantId, 'summary'],
    queryFn: () => data(api.GET('/billing/summary', { params: { query } })),
  });
}

export function useKeyCosts() {
  const { tenantId, query } = useScope();
  return usePages({
    key: ['billing', tenantId, 'keys'],
    load: (page) => data(api.GET('/billing/api-keys', { params: { query: { ...query, ...page } } })),
    rows: ({ api_keys }) => api_keys,
    next: ({ next_cursor }) => next_cursor,
  });
}

export function useStatements() {
  const { tenantId, query } = useScope();
  return usePages({
    key: ['billing', tenantId, 'statements'],
    load: (page) => data(api.GET('/billing/statements', { params: { query: { ...query, ...page } } })),
    rows: ({ statements }) => statements,
    next: ({ next_cursor }) => next_cursor,
  });
}

export function useStatement(statementId: string) {
  const { tenantId, query } = useScope();
  return useQuery({
    queryKey: ['billing', tenantId, 'statement', statementId],
    queryFn: async () =>
      (await data(
        api.GET('/billing/statements/{statement_id}', {
          params: { path: { statement_id: statementId }, query: { ...query, format: 'json' } },
        }),
      )) as Statement,
    // A closed cycle never changes.
    staleTime: Infinity,
  });
}

export function useTerms(tenantId: string) {
  return useQuery({
    queryKey: ['billing', tenantId, 'terms'],
    queryFn: () => data(api.GET('/admin/tenants/{tenantId}/billing', { params: { path: { tenantId } } })),
  });
}

export function usePlans() {
  const enabled = useMay()('Plans.list');
  return usePages({
    enabled,
    key: ['plans'],
    load: (page) => data(api.GET('/admin/plans', { params: { query: page } })),
    rows: ({ plans }) => plans,
    next: ({ nextCursor }) => nextCursor,
  });
}

export function useReconciliation(enabled: boolean) {
  const { tenantId, query } = useScope();
  return useQuery({
    queryKey: ['billing', tenantId, 'reconcile'],
    queryFn: () => data(api.GET('/billing/reconcile', { params: { query } })),
    enabled,
  });
}

export function useBillingOperations() {
  const { query } = useScope();
  const billed = useDone('billing');
  const planned = useDone('plans');
  return {
    close: () => billed(data(api.POST('/billing/reset', { params: { query } }))),
    download: async (statementId: string, format: 'csv' | 'json'): Promise<string> => {
      const params = { path: { statement_id: statementId }, query: { ...query, format } };
      const { data: text } = await api.GET('/billing/statements/{statement_id}', { params, parseAs: 'text' });
      return text ?? '';
    },
    setTerms: (tenantId: string, body: TermsPatch) =>
      billed(data(api.PATCH('/admin/tenants/{tenantId}/billing', { params: { path: { tenantId } }, body }))),
    createPlan: (body: PlanInput) => planned(data(api.POST('/admin/plans', { body }))),
    replacePlan: ({ id, ...body }: PlanInput) =>
      planned(data(api.PUT('/admin/plans/{planId}', { params: { path: { planId: id } }, body }))),
    removePlan: (planId: string) =>
      planned(data(api.DELETE('/admin/plans/{planId}', { params: { path: { planId } } }))),
  };
}
