{{/* The names of all topics, as the services know them. */}}
{{- define "streamer.topicNames" -}}
{{- $named := (include "streamer.settings" . | fromYaml).topics | default dict -}}
{{- range $topic, $name := dict "tickets" "tickets" "labels" "tickets.labels" "judge" "tickets.judge" "dead" "tickets.dead" "audit" "tickets.audit" "review" "tickets.review" "answers" "tickets.answers" "log" "tickets.log" "stats" "tickets.stats" "alerts" "tickets.alerts" }}
{{ $topic }}: {{ get $named $topic | default $name }}
{{- end }}
{{- with $named.current }}
current: {{ . }}
{{- end }}
{{- end -}}

{{/* Not empty where a table is wanted: the configuration names its topic. */}}
{{- define "streamer.table" -}}
{{- with (include "streamer.settings" . | fromYaml).topics }}{{ .current | default "" }}{{ end -}}
{{- end -}}
