import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { headersOf } from '../apis/headers-of';
import { api, data } from '../api/client';
import type { Explanation, Question } from '../api/types';
import { useMay } from '../session/may';
import { CardForm } from '../ui/card-form';
import { FieldRow, SelectField, TextArea, TextField } from '../ui/field';
import { ErrorNotice, ErrorState, LoadingRows } from '../ui/states';
import { Card, Columns, Page } from '../ui/surface';
import { useForm } from '../ui/use-form';
import { RefusedRequest } from './refused-request';
import { Verdicts } from './verdicts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].map(
  (name) => [name, name] as const,
);

/** What would happen to a request, guard by guard; also to one that has been refused. Nothing is counted or sent. */
export function ExplainPage() {
  const [params] = useSearchParams();
  const refusalId = params.get('refusal');
  return (
    <Page
      title="Explain"
      lead="What would happen to a request, guard by guard. Nothing is counted, nothing is sent."
    >
      {refusalId ? <ExplainRefusal key={refusalId} id={refusalId} /> : <Workbench />}
    </Page>
  );
}

function ExplainRefusal({ id }: { id: string }) {
  const all = useMay()('Refusals.show');
  const { data: refusal, error } = useQuery({
    queryKey: ['refusals', 'one', id],
    queryFn: () =>
      all
        ? data(api.GET('/admin/refusals/{refusalId}', { params: { path: { refusalId: id } } }))
        : data(api.GET('/me/refusals/{refusalId}', { params: { path: { refusalId: id } } })),
  });
  if (error) return <ErrorState error={error} />;
  if (!refusal) return <LoadingRows />;
  return (
    <>
      <RefusedRequest of={refusal} />
      <Workbench first={refusal.question} />
    </>
  );
}

/** The question as a form, and the answer beside it. One that comes with the page is asked at once. */
function Workbench({ first }: { first?: Question }) {
  const all = useMay()('Explain.explain');
  const [known] = useState(first);
  const [initial] = useState(() => valuesOf(first));
  const { field, form, result } = useForm<ReturnType<typeof valuesOf>, Explanation>({
    initial,
    send: (values) => {
      const { tenantId, ...question } = known && values === initial ? known : questionOf(values, known);
      // Whose it is, is the gateway's to know, where it can be one tenant's only.
      if (!all) return data(api.POST('/me/explain', { body: question }));
      return data(api.POST('/admin/explain', { body: { ...question, ...(tenantId && { tenantId }) } }));
    },
  });
  const ask = useRef(form.onSubmit);
  useEffect(() => {
    if (known) ask.current();
  }, [known]);
  return (
    <Columns>
      <Card title="Request">
        <CardForm submit="Explain" busy={form.busy} onSubmit={form.onSubmit}>
          <FieldRow>
            <SelectField label="Method" {...field('method')} options={METHODS} />
            <TextField label="Path" required placeholder="/api/v1/orders?page=2" {...field('path')} />
          </FieldRow>
          <FieldRow>
            <TextField
              label="API key"
              type="password"
              placeholder={known?.apiKeyId ? `As key ${known.apiKeyId}` : undefined}
              {...field('apiKey')}
            />
            <TextField label="Client address" placeholder="127.0.0.1" {...field('clientAddress')} />
          </FieldRow>
          <TextArea
            label="Headers"
            rows={3}
            placeholder={'Authorization: Bearer …\nHost: api.example.com'}
            {...field('headers')}
          />
        </CardForm>
      </Card>
      <Card title="Verdicts">
        <div aria-live="polite">
          {form.error ? (
            <ErrorNotice error={form.error} />
          ) : result ? (
            <Verdicts of={result} />
          ) : form.busy ? (
            <LoadingRows />
          ) : (
            <p className="soft">Describe a request to see what each guard says about it.</p>
          )}
        </div>
      </Card>
    </Columns>
  );
}

function valuesOf(question: Question | undefined) {
  const lines = Object.entries(question?.headers ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one}`),
  );
  return {
    method: question?.method ?? 'GET',
    path: question?.path ?? '',
    apiKey: '',
    clientAddress: question?.clientAddress ?? '',
    headers: lines.join('\n'),
  };
}

/** A key that is typed takes the place of the one that was recognised in the refused request. */
function questionOf(values: ReturnType<typeof valuesOf>, known: Question | undefined): Question {
  const { method, path, apiKey, clientAddress } = values;
  const headers = { ...headersOf(values.headers), ...(apiKey && { 'X-API-Key': apiKey }) };
  const asKey =
    !apiKey && known?.apiKeyId ? { apiKeyId: known.apiKeyId, ...(known.tenantId && { tenantId: known.tenantId }) } : {}; // prettier-ignore
  return { method, path, headers, ...(clientAddress && { clientAddress }), ...asKey };
}
