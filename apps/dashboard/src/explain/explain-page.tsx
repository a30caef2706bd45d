import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { headersOf } from '../apis/headers-of';
import { api, data } from '../api/client';
import { fieldError } from '../api/problem';
import type { Explanation, Question } from '../api/types';
import { useScope } from '../session/scope';
import { Button } from '../ui/button';
import { FieldRow, SelectField, TextArea, TextField } from '../ui/field';
import { ErrorNotice, ErrorState, LoadingRows } from '../ui/states';
import { Card, Columns, Page } from '../ui/surface';
import { useForm } from '../ui/use-form';
import form from '../apis/apis.module.css';
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
  const { admin } = useScope();
  const { data: refusal, error } = useQuery({
    queryKey: ['refusals', 'one', id],
    queryFn: () =>
      admin
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
  const { admin } = useScope();
  const { values, set } = useForm(valuesOf(first));
  const [known] = useState(first);
  const {
    mutate,
    isPending,
    error,
    data: explanation,
  } = useMutation<Explanation, Error, Question>({
    mutationFn: ({ tenantId, ...question }) =>
      admin
        ? data(api.POST('/admin/explain', { body: { ...question, ...(tenantId && { tenantId }) } }))
        : // Whose it is, is the gateway's to know.
          data(api.POST('/me/explain', { body: question })),
  });
  useEffect(() => {
    if (known) mutate(known);
  }, [known, mutate]);
  return (
    <Columns>
      <Card title="Request">
        <form
          className={form.test}
          onSubmit={(event) => {
            event.preventDefault();
            mutate(questionOf(values, known));
          }}
        >
          <FieldRow>
            <SelectField label="Method" value={values.method} onChange={set('method')} options={METHODS} />
            <TextField
              label="Path"
              required
              placeholder="/api/v1/orders?page=2"
              value={values.path}
              onChange={set('path')}
              error={fieldError(error, 'path')}
            />
          </FieldRow>
          <FieldRow>
            <TextField
              label="API key"
              type="password"
              placeholder={known?.apiKeyId ? `As key ${known.apiKeyId}` : undefined}
              value={values.apiKey}
              onChange={set('apiKey')}
            />
            <TextField
              label="Client address"
              placeholder="127.0.0.1"
              value={values.clientAddress}
              onChange={set('clientAddress')}
              error={fieldError(error, 'clientAddress')}
            />
          </FieldRow>
          <TextArea
            label="Headers"
            rows={3}
            placeholder={'Authorization: Bearer …\nHost: api.example.com'}
            value={values.headers}
            onChange={set('headers')}
            error={fieldError(error, 'headers')}
          />
          <div>
            <Button type="submit" variant="primary" busy={isPending}>
              Explain
            </Button>
          </div>
        </form>
      </Card>
      <Card title="Verdicts">
        <div aria-live="polite">
          {error ? (
            <ErrorNotice error={error} />
          ) : explanation ? (
            <Verdicts of={explanation} />
          ) : isPending ? (
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
