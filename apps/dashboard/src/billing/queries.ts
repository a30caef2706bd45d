import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, data } from '../api/client';
import type { PlanInput, Statement, TermsPatch } from '../api/types';
import { usePages } from '../api/use-pages';
import { useScope } from '../session/scope';

const PAGE = 100;

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
    load: (cursor) =>
      data(
        api.GET('/billing/api-keys', {
          params: { query: { ...query, limit: PAGE, ...(cursor && { cursor }) } },
        }),
      ),
    rows: ({ api_keys }) => api_keys,
    next: ({ next_cursor }) => next_cursor,
  });
}

export function useStatements() {
  const { tenantId, query } = useScope();
  return usePages({
    key: ['billing', tenantId, 'statements'],
    load: (cursor) =>
      data(
        api.GET('/billing/statements', {
          params: { query: { ...query, limit: PAGE, ...(cursor && { cursor }) } },
        }),
      ),
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
  return usePages({
    key: ['plans'],
    load: (cursor) =>
      data(api.GET('/admin/plans', { params: { query: { limit: PAGE, ...(cursor && { cursor }) } } })),
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
  const queries = useQueryClient();
  const done = async <T>(answer: Promise<T>, key: string): Promise<T> => {
    const result = await answer;
    await queries.invalidateQueries({ queryKey: [key] });
    return result;
  };
  return {
    close: () => done(data(api.POST('/billing/reset', { params: { query } })), 'billing'),
    download: async (statementId: string, format: 'csv' | 'json'): Promise<string> => {
      const params = { path: { statement_id: statementId }, query: { ...query, format } };
      const { data: text } = await api.GET('/billing/statements/{statement_id}', { params, parseAs: 'text' });
      return text ?? '';
    },
    setTerms: (tenantId: string, body: TermsPatch) =>
      done(
        data(api.PATCH('/admin/tenants/{tenantId}/billing', { params: { path: { tenantId } }, body })),
        'billing',
      ),
    createPlan: (body: PlanInput) => done(data(api.POST('/admin/plans', { body })), 'plans'),
    replacePlan: ({ id, ...body }: PlanInput) =>
      done(data(api.PUT('/admin/plans/{planId}', { params: { path: { planId: id } }, body })), 'plans'),
    removePlan: (planId: string) =>
      done(data(api.DELETE('/admin/plans/{planId}', { params: { path: { planId } } })), 'plans'),
  };
}
