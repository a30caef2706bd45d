import { Send } from 'lucide-react';
import { api, data } from '../api/client';
import type { Service, ServiceTest, ServiceTestCall } from '../api/types';
import { useGatewayUrl, useScope } from '../session/scope';
import { CardForm } from '../ui/card-form';
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
  const { values, set, field, form, result } = useForm<TestValues, ServiceTest>({
    initial: { way: 'target', method: 'GET', path: '/', headers: '', body: '', apiKey: '' },
    send: ({ way, method, path, headers, body, apiKey }) => {
      const request = {
        method: method as ServiceTestCall['method'],
        path,
        headers: headersOf(headers),
        ...(body !== '' && !['GET', 'HEAD'].includes(method) && { body }),
      };
      if (way === 'gateway') return callGateway(service, request, apiKey);
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
      <CardForm
        submit="Send"
        needs="ServiceTest.testMine"
        icon={<Send size={14} aria-hidden />}
        busy={form.busy}
        onSubmit={form.onSubmit}
      >
        <FieldRow>
          <SelectField label="Method" {...field('method')} options={METHODS} />
          <TextField label="Path" required {...field('path')} />
          {values.way === 'gateway' && (
            <TextField
              label="API key"
              type="password"
              required
              hint="Sent once, kept nowhere."
              {...field('apiKey')}
            />
          )}
        </FieldRow>
        <FieldRow>
          <TextArea label="Headers" rows={2} placeholder="Accept: application/json" {...field('headers')} />
          <TextArea label="Body" rows={2} {...field('body')} />
        </FieldRow>
      </CardForm>
      <div className={styles.outcome} aria-live="polite">
        {form.error ? <ErrorNotice error={form.error} /> : result && <Answer answer={result} />}
      </div>
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
