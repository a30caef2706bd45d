import type { ObjectMeta } from 'kubernetes-types/meta/v1';

/**
 * The parts that we use of custom resources whose types no small package has.
 * https://prometheus-operator.dev/docs/api-reference/api/, https://external-secrets.io/latest/api/spec/
 */
interface SecretKeySelector {
  name: string;
  key: string;
  optional?: boolean;
}

export interface ServiceMonitor {
  apiVersion: 'monitoring.coreos.com/v1';
  kind: 'ServiceMonitor';
  metadata: ObjectMeta;
  spec: {
    selector: { matchLabels: Record<string, string> };
    endpoints: Array<{
      port: string;
      path: string;
      interval: string;
      scrapeTimeout: string;
      authorization: { type: 'Bearer'; credentials: SecretKeySelector };
    }>;
  };
}

export interface PrometheusRule {
  apiVersion: 'monitoring.coreos.com/v1';
  kind: 'PrometheusRule';
  metadata: ObjectMeta;
  spec: {
    groups: Array<{
      name: string;
      rules: Array<
        | { record: string; expr: string }
        | {
            alert: string;
            expr: string;
            for?: string;
            labels: { severity: 'critical' | 'warning' };
            annotations: { summary: string; runbook_url: string };
          }
      >;
    }>;
  };
}

export interface ExternalSecret {
  apiVersion: 'external-secrets.io/v1';
  kind: 'ExternalSecret';
  metadata: ObjectMeta;
  spec: {
    refreshInterval: string;
    secretStoreRef: { kind: 'ClusterSecretStore' | 'SecretStore'; name: string };
    target: { name: string; creationPolicy: 'Owner' | 'Merge' | 'Orphan' | 'None' };
    dataFrom: Array<{ extract: { key: string } }>;
  };
}
