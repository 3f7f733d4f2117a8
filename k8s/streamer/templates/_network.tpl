{{/* A rule of a NetworkPolicy: (list "to" {ports, to}); no peers means any, on these ports. */}}
{{- define "streamer.peers" -}}
{{- $given := index . 1 -}}
{{- $ports := list -}}
{{- range $given.ports }}{{ $ports = append $ports (dict "port" . "protocol" "TCP") }}{{ end -}}
{{- $rule := dict "ports" $ports -}}
{{- if $given.to }}{{ $_ := set $rule "to" $given.to }}{{ end -}}
{{- toJson $rule -}}
{{- end -}}

{{- define "streamer.tritonPort" -}}
{{- get ((include "streamer.settings" . | fromYaml).triton | default dict) "url" | default ":8001" | splitList ":" | last -}}
{{- end -}}
