{{- /* Labels of every object. */ -}}
{{- define "gatehouse.labels" -}}
app.kubernetes.io/name: gatehouse
app.kubernetes.io/part-of: gatehouse
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- /* The planes that are there, by their names. */ -}}
{{- define "gatehouse.planes" -}}
data-plane
{{- if .Values.controlPlane.enabled }},control-plane{{ end }}
{{- end -}}

{{- /* One plane: root, name, port, values. */ -}}
{{- define "gatehouse.deployment" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $root.Release.Name }}-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "gatehouse.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  {{- with .values.replicas }}
  replicas: {{ . }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels: { app.kubernetes.io/name: gatehouse, app.kubernetes.io/component: {{ .name }} }
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  template:
    metadata:
      labels:
        app.kubernetes.io/name: gatehouse
        app.kubernetes.io/part-of: gatehouse
        app.kubernetes.io/component: {{ .name }}
      annotations:
        # A changed setting or secret is a rolling update.
        checksum/settings: {{ list $root.Values.settings $root.Values.secrets | toJson | sha256sum }}
    spec:
      serviceAccountName: {{ $root.Release.Name }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile: { type: RuntimeDefault }
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: { app.kubernetes.io/name: gatehouse, app.kubernetes.io/component: {{ $.name }} }
        {{- end }}
      containers:
        - name: gatehouse
          image: {{ $root.Values.image.repository }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}
          args: [{{ .name }}]
          ports:
            - { name: http, containerPort: {{ .port }} }
          envFrom:
            - configMapRef: { name: {{ $root.Release.Name }}-settings }
            - secretRef: { name: {{ $root.Release.Name }}-tenant-secrets, optional: true }
          env:
            {{- toYaml .values.env | nindent 12 }}
            {{- if eq .name "control-plane" }}
            - name: ADMIN_TOKEN
              valueFrom: { secretKeyRef: { name: {{ $root.Release.Name }}-secrets, key: ADMIN_TOKEN } }
            {{- end }}
            {{- range $name, $key := dict "GATEWAY_JWT_SECRET" "GATEWAY_JWT_SECRET" "JWT_SECRET_KEY" "JWT_SECRET_KEY" "METRICS_TOKEN" "METRICS_TOKEN" "REDIS_PASSWORD" "REDIS_PASSWORD" "REDIS_SENTINEL_PASSWORD" "REDIS_PASSWORD" }}
            - name: {{ $name }}
              valueFrom: { secretKeyRef: { name: {{ $root.Release.Name }}-secrets, key: {{ $key }}, optional: true } }
            {{- end }}
          startupProbe:
            httpGet: { path: /livez, port: http }
            periodSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /livez, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 2
          lifecycle:
            preStop: { sleep: { seconds: {{ $root.Values.preStopSeconds }} } }
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: data, mountPath: /data }
            - { name: config, mountPath: /config, readOnly: true }
      volumes:
        - name: data
          emptyDir: { sizeLimit: 1Gi }
        - name: config
          configMap: { name: {{ $root.Release.Name }}-projects, optional: true }
{{- end -}}
