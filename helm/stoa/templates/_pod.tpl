{{- /* What every pod runs under: the restricted profile of pod security. */ -}}
{{- define "stoa.pod.security" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "stoa.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* The first lines of a pod. Takes a list: the root, the component's values. */ -}}
{{- define "stoa.pod" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
serviceAccountName: {{ include "stoa.name" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "stoa.pod.security" $root | nindent 2 }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $part.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Replicas lie in different zones and on different nodes. Only pods of one version are weighed
against each other, and nodes that are being emptied do not count. Takes a list: the root, the component. */ -}}
{{- define "stoa.spread" -}}
{{- $root := index . 0 -}}
{{- range $key, $unsatisfiable := dict "topology.kubernetes.io/zone" $root.Values.spread.zones "kubernetes.io/hostname" $root.Values.spread.hosts }}
- topologyKey: {{ $key }}
  maxSkew: 1
  whenUnsatisfiable: {{ $unsatisfiable }}
  nodeTaintsPolicy: Honor
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- include "stoa.selector" (list $root (index $ 1)) | nindent 6 }}
{{- end }}
{{- end -}}

{{- /* The program's settings as its environment: what the chart decides, and then .Values.settings. Secrets
are files, named by the variable with _FILE at its end. Takes a list: the root, a map of more. With STOA_FILES_DIR in it
a process has a folder of its own and not the merchants' files, which it has no business with. */ -}}
{{- define "stoa.environment" -}}
{{- $root := index . 0 -}}
{{- with $root.Values -}}
{{- $settings := dict
  "STOA_ENV" .environment
  "STOA_BASE_DOMAIN" .baseDomain
  "STOA_HTTP_ADDR" ":8080"
  "STOA_OPS_ADDR" ":8081"
  "STOA_TRUSTED_PROXIES" (join "," .trustedProxies)
  "STOA_DRAIN_DELAY" (printf "%ds" (int .drain.delaySeconds))
  "STOA_DRAIN_TIMEOUT" (printf "%ds" (int .drain.timeoutSeconds))
-}}
{{- if .domains.addresses -}}
{{- $_ := set $settings "STOA_DOMAINS_ADDRESSES" (join "," .domains.addresses) -}}
{{- $_ := set $settings "STOA_ACME_DIRECTORY" .domains.acme.directory -}}
{{- $_ := set $settings "STOA_ACME_EMAIL" .domains.acme.email -}}
{{- end -}}
{{- if .files.volume.enabled -}}
{{- $_ := set $settings "STOA_FILES_DIR" "/var/lib/stoa/files" -}}
{{- end -}}
{{- range $name := .secrets.variables -}}
{{- $_ := set $settings (printf "%s_FILE" $name) (printf "/run/secrets/stoa/%s" $name) -}}
{{- end -}}
{{- if hasKey (index $ 1) "STOA_FILES_DIR" -}}
{{- $_ := unset $settings "STOA_FILES_URL_FILE" -}}
{{- end -}}
{{- if .postgres.bundled.enabled -}}
{{- $_ := set $settings "STOA_DATABASE_URL_FILE" "/run/secrets/stoa/STOA_DATABASE_URL" -}}
{{- end -}}
{{- range $name, $value := mergeOverwrite $settings .settings (index $ 1) }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- if .redis.bundled.enabled }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ required "redis.bundled.passwordSecret.name: the Secret that holds the password of the bundled Redis" .redis.bundled.passwordSecret.name }}
      key: {{ .redis.bundled.passwordSecret.key }}
- name: STOA_REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "stoa.redis" $root }}:6379/0
{{- end }}
{{- end }}
{{- end -}}

{{- /* Where the program finds its secrets, may write, and keeps merchants' files. Takes a list: the root, whether it
has to do with files. */ -}}
{{- define "stoa.mounts" -}}
{{- with index . 0 }}
- name: secrets
  mountPath: /run/secrets/stoa
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if .Values.certificateAuthorities }}
- name: authorities
  mountPath: /etc/stoa/authorities
  readOnly: true
{{- end }}
{{- if and (index $ 1) .Values.files.volume.enabled }}
- name: files
  mountPath: /var/lib/stoa/files
{{- end }}
{{- end }}
{{- end -}}

{{- define "stoa.volumes" -}}
{{- $files := index . 1 -}}
{{- with index . 0 }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- with .Values.secrets }}
      - secret:
          name: {{ required "secrets.existingSecret: the Secret that holds what secrets.variables names" .existingSecret }}
          items:
            {{- range .variables }}
            {{- if or $files (ne . "STOA_FILES_URL") }}
            - key: {{ . }}
              path: {{ . }}
            {{- end }}
            {{- end }}
      {{- end }}
      {{- if .Values.postgres.bundled.enabled }}
      - secret: # made by CloudNativePG
          name: {{ include "stoa.postgres" . }}-app
          items:
            - key: uri
              path: STOA_DATABASE_URL
      {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
{{- with .Values.certificateAuthorities }}
- name: authorities
  configMap:
    name: {{ . }}
{{- end }}
{{- if and $files .Values.files.volume.enabled }}
- name: files
  persistentVolumeClaim:
    claimName: {{ .Values.files.volume.existingClaim | default (printf "%s-files" (include "stoa.name" .)) }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* A process joins once the program says that it is ready: its databases are there, and of its version. From
then on it stays as long as it lives: without the control database it goes on serving what it remembers, and if
all replicas left for that, nobody would be served at all. Until then it lives and waits, for its database and for as
long as migrations may take: begun anew before that, a first install would look like a crash. A pod that is to end is left
out of its Service by that alone. */ -}}
{{- define "stoa.probes" -}}
startupProbe:
  httpGet: {path: /readyz, port: ops}
  periodSeconds: 2
  timeoutSeconds: 4
  failureThreshold: {{ div (include "stoa.waits" . | int) 2 }}
readinessProbe:
  httpGet: {path: /healthz, port: ops}
  periodSeconds: 5
  timeoutSeconds: 3
livenessProbe:
  httpGet: {path: /healthz, port: ops}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{- /* For how many seconds a process may wait for its tables: ten minutes longer than their migrations may take. */ -}}
{{- define "stoa.waits" -}}
{{ add (int .Values.migrations.activeDeadlineSeconds) 600 }}
{{- end -}}

{{- /* How long a process may take to end: STOA_DRAIN_DELAY, STOA_DRAIN_TIMEOUT, ten seconds in which it closes its
connections, and some to spare. */ -}}
{{- define "stoa.grace" -}}
{{ add (int .Values.drain.delaySeconds) (int .Values.drain.timeoutSeconds) 20 }}
{{- end -}}
