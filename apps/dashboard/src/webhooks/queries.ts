import { useQuery } from '@tanstack/react-query';
import { api, data } from '../api/client';
import type { Delivery, NewWebhook, WebhookPatch } from '../api/types';
import { useDone } from '../api/use-done';
import { usePages } from '../api/use-pages';

/** What is on its way changes by itself. */
const WATCH_MS = 3000;

export function useWebhooks() {
  return useQuery({ queryKey: ['webhooks', 'list'], queryFn: () => data(api.GET('/admin/webhooks')) });
}

export function useWebhook(webhookId: string) {
  return useQuery({
    queryKey: ['webhooks', 'one', webhookId],
    queryFn: () => data(api.GET('/admin/webhooks/{webhookId}', { params: { path: { webhookId } } })),
  });
}

export function useDeliveries(webhookId: string, state: Delivery['state']) {
  return usePages({
    key: ['webhooks', 'deliveries', webhookId, state],
    load: (page) =>
      data(
        api.GET('/admin/webhooks/{webhookId}/deliveries', {
          params: { path: { webhookId }, query: { ...page, state } },
        }),
      ),
    rows: ({ deliveries }) => deliveries,
    next: ({ nextCursor }) => nextCursor,
    watchMs: WATCH_MS,
  });
}

export function useWebhookOperations() {
  const done = useDone('webhooks');
  const at = (webhookId: string) => ({ path: { webhookId } });
  return {
    create: (body: NewWebhook) => done(data(api.POST('/admin/webhooks', { body }))),
    change: (webhookId: string, body: WebhookPatch) =>
      done(data(api.PATCH('/admin/webhooks/{webhookId}', { params: at(webhookId), body }))),
    remove: (webhookId: string) =>
      done(data(api.DELETE('/admin/webhooks/{webhookId}', { params: at(webhookId) }))),
    rotate: (webhookId: string, graceSeconds: number) => {
      const body = { graceSeconds };
      return done(
        data(api.POST('/admin/webhooks/{webhookId}/rotate-secret', { params: at(webhookId), body })),
      );
    },
    test: (webhookId: string) =>
      done(data(api.POST('/admin/webhooks/{webhookId}/test', { params: at(webhookId) }))),
    replay: ({ webhookId, id: deliveryId }: Delivery) => {
      const params = { path: { webhookId, deliveryId } };
      return done(data(api.POST('/admin/webhooks/{webhookId}/deliveries/{deliveryId}/replay', { params })));
    },
  };
}
