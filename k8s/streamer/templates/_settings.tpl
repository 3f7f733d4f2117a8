{{/* The whole streamer.yaml: the file, the values over it, and the places inside of a pod. */}}
{{- define "streamer.settings" -}}
{{- include "streamer.settings.of" (list . .Values.configFile) -}}
{{- end -}}

{{/*
The judges' own, which runs ahead while a label set is being changed; else the same. They know of no
segments: another version of these must not have them load their weights again.
*/}}
{{- define "streamer.settings.judge" -}}
{{- $file := .Values.judge.configFile | default .Values.configFile -}}
{{- $settings := include "streamer.settings.of" (list . $file) | fromYaml -}}
{{- range $task := $settings.tasks -}}
{{- if kindIs "map" $task }}{{ $_ := unset $task "segments" }}{{ end -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{- define "streamer.settings.of" -}}
{{- $root := index . 0 -}}
{{- $file := index . 1 | default ($root.Files.Get "files/streamer.yaml") | fromYaml -}}
{{- if $file.Error -}}
{{- fail (printf "configFile: not YAML: %s" $file.Error) -}}
{{- end -}}
{{- if not (index . 1) -}}
{{- /* The sample's own Kafka is a laptop's. */ -}}
{{- $_ := set $file.kafka "bootstrap" "kafka-kafka-bootstrap:9092" -}}
{{- end -}}
{{- $merged := mergeOverwrite $file (deepCopy $root.Values.config) (include "streamer.places" $root | fromYaml) -}}
{{- if eq ($merged.judge.kind | default "classifier") "endpoint" -}}
{{- /* It has no models, and so no volume of them: prompts are files beside the configuration. */ -}}
{{- $_ := set $merged.judge "prompts" "/etc/streamer" -}}
{{- if $root.Values.judge.key.secret -}}
{{- $_ := set $merged.judge "endpoint" (merge (dict "key" "${JUDGE_KEY}") ($merged.judge.endpoint | default dict)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $merged -}}
{{- end -}}

{{/* Something where the judge is a model that somebody else runs. */}}
{{- define "streamer.judge.remote" -}}
{{- if eq ((include "streamer.settings.judge" . | fromYaml).judge.kind | default "classifier") "endpoint" }}endpoint{{ end -}}
{{- end -}}

{{- define "streamer.places" -}}
classify: {listen: {host: 0.0.0.0, port: 9464}}
judge:
  listen: {host: 0.0.0.0, port: 9465}
  python: {{ .Values.judge.python }}
  models: /models
  model: /models/llm
  prompts: /models/prompts
monitor:
{{- if .Values.monitor.token.secret }}
  listen: {host: 0.0.0.0, port: 9466}
  token: ${MONITOR_TOKEN}
{{- else }}
  listen: {host: 127.0.0.1, port: 9466}
{{- end }}
table: {listen: {host: 0.0.0.0, port: 9467}}
state: /tmp/streamer
{{- if .Values.workers.enabled }}
triton: {url: "{{ include "streamer.name" . }}-workers.{{ .Release.Namespace }}.svc:8001"}
{{- end }}
{{- end -}}

{{/* (list $ component) */}}
{{- define "streamer.settings.checksum" -}}
{{- $template := eq (index . 1) "judge" | ternary "streamer.settings.judge" "streamer.settings" -}}
checksum/config: {{ printf "%s%s" (include $template (index . 0)) (toJson (index . 0).Values.files) | sha256sum }}
{{- end -}}

{{/* Environment of our own services: (list $ component). */}}
{{- define "streamer.env" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
- {name: HOME, value: /tmp}
- {name: PYTHONUNBUFFERED, value: "1"}
{{- range $root.Values.secretEnv }}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key | quote }}}}
{{- end }}
{{- with $root.Values.monitor.token }}
{{- if and .secret (eq $component "monitor") }}
- name: MONITOR_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key | quote }}}}
{{- else if .secret }}
# The file names it, and this service has no use for it.
- {name: MONITOR_TOKEN, value: not-given-to-this-service}
{{- end }}
{{- end }}
{{- with $root.Values.judge.key }}
{{- if and .secret (eq $component "judge") }}
- name: JUDGE_KEY
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key | quote }}}}
{{- else if .secret }}
# The file names it, and this service has no use for it.
- {name: JUDGE_KEY, value: not-given-to-this-service}
{{- end }}
{{- end }}
{{- with $root.Values.otel.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with (get $root.Values $component).extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "streamer.settings.mounts" -}}
- {name: config, mountPath: /etc/streamer, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- range .Values.secretFiles }}
- {name: secret-{{ .name }}, mountPath: /etc/streamer/secrets/{{ .name }}, readOnly: true}
{{- end }}
{{- end -}}

{{- define "streamer.settings.volumes" -}}
- name: tmp
  emptyDir: {}
{{- range .Values.secretFiles }}
- name: secret-{{ .name }}
  secret: {secretName: {{ .secret }}}
{{- end }}
{{- end -}}
