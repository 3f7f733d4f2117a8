{{- define "streamer.name" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What pods are selected by: (list $ component). */}}
{{- define "streamer.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "streamer.labels" -}}
{{- $root := index . 0 -}}
{{ include "streamer.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* (list $ image) */}}
{{- define "streamer.image" -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Triton models that the tasks' workers name, one a line. */}}
{{- define "streamer.models" -}}
{{- $found := list -}}
{{- range $task := (include "streamer.settings" . | fromYaml).tasks -}}
{{- range $worker := $task.workers -}}
{{- $found = append $found (kindIs "string" $worker | ternary $worker (get (kindIs "map" $worker | ternary $worker dict) "model")) -}}
{{- end -}}
{{- end -}}
{{- $found | uniq | join "\n" -}}
{{- end -}}
