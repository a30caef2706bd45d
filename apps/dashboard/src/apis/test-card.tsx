import { useMutation } from '@tanstack/react-query';
import { Send } from 'lucide-react';
import { api, data } from '../api/client';
import type { Service, ServiceTest, ServiceTestCall } from '../api/types';
import { useGatewayUrl, useScope } from '../session/scope';
import { Button } from '../ui/button';
import { FieldRow, SelectField, TextArea, TextField } from '../ui/field';
import { milliseconds } from '../ui/format';
import { ErrorNotice, Notice } from '../ui/states';
import { Badge, Card, Code, Segments, Toolbar } from '../ui/surface';
import { useForm } from '../ui/use-form';
import styles from './apis.module.css';
import { callGateway } from './call-gateway';
import { headersOf } from './headers-of';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'].map(
  (name) => [name, name] as const,
);

interface TestValues {
  way: 'target' | 'gateway';
  method: string;
  path: string;
  headers: string;
  body: string;
  apiKey: string;
}

/** A call to try it: straight to a target, or through the gateway as a client would, past every guard. */
export function TestCard({ service }: { service: Service }) {
  const { query } = useScope();
  const gatewayUrl = useGatewayUrl();
  const sameOrigin = gatewayUrl === window.location.origin;
  const { values, set } = useForm<TestValues>({
    way: 'target',
    method: 'GET',
    path: '/',
    headers: '',
    body: '',
    apiKey: '',
  });
  const {
    mutate,
    isPending,
    error,
    data: answer,
  } = useMutation<ServiceTest>({
    mutationFn: () => {
      const { method, path, body } = values;
      const request = {
        method: method as ServiceTestCall['method'],
        path,
        headers: headersOf(values.headers),
        ...(body !== '' && !['GET', 'HEAD'].includes(method) && { body }),
      };
      if (values.way === 'gateway') return callGateway(service, request, values.apiKey);
      const params = { path: { service_id: String(service.id) }, query };
      return data(api.POST('/services/{service_id}/test', { params, body: request }));
    },
  });
  return (
    <Card
      title="Test"
      actions={
        sameOrigin && (
          <Segments
            label="Way of the call"
            value={values.way}
            onChange={set('way')}
            options={[
              ['target', 'Straight to the target'],
              ['gateway', 'Through the gateway'],
            ]}
          />
        )
      }
    >
      <form
        className={styles.test}
        onSubmit={(event) => {
          event.preventDefault();
          mutate();
        }}
      >
        <FieldRow>
          <SelectField label="Method" value={values.method} onChange={set('method')} options={METHODS} />
          <TextField label="Path" required value={values.path} onChange={set('path')} />
          {values.way === 'gateway' && (
            <TextField
              label="API key"
              type="password"
              required
              value={values.apiKey}
              onChange={set('apiKey')}
              hint="Sent once, kept nowhere."
            />
          )}
        </FieldRow>
        <FieldRow>
          <TextArea
            label="Headers"
            rows={2}
            placeholder="Accept: application/json"
            value={values.headers}
            onChange={set('headers')}
          />
          <TextArea label="Body" rows={2} value={values.body} onChange={set('body')} />
        </FieldRow>
        <div>
          <Button type="submit" variant="primary" busy={isPending} icon={<Send size={14} aria-hidden />}>
            Send
          </Button>
        </div>
        <div aria-live="polite">
          {error ? <ErrorNotice error={error} /> : answer && <Answer answer={answer} />}
        </div>
      </form>
    </Card>
  );
}

function Answer({ answer }: { answer: ServiceTest }) {
  const { status, durationMs, url, problem, headers, body, truncated } = answer;
  if (status === null) return <Notice tone="bad">{problem ?? 'No answer'}</Notice>;
  const tone = status < 400 ? 'good' : status < 500 ? 'warn' : 'bad';
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return (
    <div className={styles.answer}>
      <Toolbar>
        <Badge tone={tone}>{status}</Badge>
        <span className="soft numeric">{milliseconds(durationMs)}</span>
        <span className="mono faint break">{url}</span>
      </Toolbar>
      <Code label="Response headers">{lines.join('\n')}</Code>
      {body !== null && body !== '' && (
        <Code label="Response body">{`${body}${truncated ? '\n… there is more' : ''}`}</Code>
      )}
    </div>
  );
}
