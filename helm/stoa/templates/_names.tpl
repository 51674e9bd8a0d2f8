{{- /* The name that all objects of a release begin with: the release's, with the chart's unless it has that already. */ -}}
{{- define "stoa.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- /* Labels of an object. Takes a list: the root, the component. */ -}}
{{- define "stoa.labels" -}}
{{- $root := index . 0 -}}
{{ include "stoa.selector" . }}
app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/part-of: stoa
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* Labels that select a component's pods. They never change. */ -}}
{{- define "stoa.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: stoa
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- /* The head of an object. Takes a list: the root, the component, what follows the release's name (may be empty). */ -}}
{{- define "stoa.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "stoa.name" $root }}{{ with index . 2 }}-{{ . }}{{ end }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "stoa.labels" (list $root (index . 1)) | nindent 2 }}
{{- end -}}

{{- /* The program's image: by digest where there is one, which nobody can move. */ -}}
{{- define "stoa.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- /* Names of the bundled databases. */ -}}
{{- define "stoa.postgres" -}}{{ include "stoa.name" . }}-postgres{{- end -}}
{{- define "stoa.redis" -}}{{ include "stoa.name" . }}-redis{{- end -}}

{{- /* The Secret with the certificate for the base domain and everything one label below. */ -}}
{{- define "stoa.tls" -}}
{{ .Values.tls.existingSecret | default (printf "%s-tls" (include "stoa.name" .)) }}
{{- end -}}
