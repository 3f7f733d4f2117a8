{{/* What a schema can't say: values that are fine alone and impossible together. */}}
{{- define "streamer.checks" -}}
{{- $settings := include "streamer.settings" . | fromYaml -}}
{{- $problems := list -}}
{{- range $check := list "file" "grace" "partitions" "scaling" "secrets" "triton" "folders" "segments" "topics" "endpoint" -}}
{{- range $line := include (printf "streamer.checks.%s" $check) (list $ $settings) | splitList "\n" -}}
{{- if trim $line -}}{{- $problems = append $problems (trim $line) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "these values don't work together:\n- %s" (join "\n- " $problems)) -}}
{{- end -}}
{{- end -}}

{{- define "streamer.checks.file" -}}
{{- $settings := index . 1 -}}
{{- $kafka := $settings.kafka | default dict -}}
{{- if not $settings.tasks }}
configFile: it names no tasks; give the whole streamer.yaml by --set-file configFile=streamer.yaml
{{- end }}
{{- if not $kafka.start }}
config.kafka.start: is missing; say where a new group begins: earliest, latest or a time
{{- end }}
{{- if regexMatch "(^|,)(127\\.|localhost:|\\[::1\\])" ($kafka.bootstrap | default "127.0.0.1:9092") }}
config.kafka.bootstrap: {{ $kafka.bootstrap | default "127.0.0.1:9092" }} is the pod itself; name your Kafka's address in the cluster
{{- end }}
{{- if $kafka.member }}
config.kafka.member: leave it out; pods come and go, and two must not be the same member
{{- end }}
{{- end -}}

{{/* Drain: seconds; the rest of the grace is for leaving the group and the last spans. */}}
{{- define "streamer.checks.grace" -}}
{{- $values := (index . 0).Values -}}
{{- $kafka := (index . 1).kafka | default dict -}}
{{- $needed := add (ceil ($kafka.drain | default 20)) 10 -}}
{{- range $component := list "classify" "judge" "monitor" "table" -}}
{{- $grace := int (get $values $component).terminationGracePeriodSeconds -}}
{{- if lt $grace (int $needed) }}
{{ $component }}.terminationGracePeriodSeconds: {{ $grace }} is too short; kafka.drain and 10 s to leave the group need {{ $needed }} or more
{{- end -}}
{{- end -}}
{{- $workers := $values.workers -}}
{{- $sum := add $workers.preStopSeconds $workers.exitTimeoutSeconds 5 -}}
{{- if lt (int $workers.terminationGracePeriodSeconds) (int $sum) }}
workers.terminationGracePeriodSeconds: {{ $workers.terminationGracePeriodSeconds }} is too short; preStopSeconds, exitTimeoutSeconds and 5 s need {{ $sum }} or more
{{- end -}}
{{- end -}}

{{- define "streamer.checks.partitions" -}}
{{- $values := (index . 0).Values -}}
{{- $partitions := int $values.topics.partitions -}}
{{- $classify := add $values.classify.replicas $values.classify.maxSurge -}}
{{- if gt (int $classify) $partitions }}
topics.partitions: {{ $partitions }} are fewer than classify.replicas and classify.maxSurge ({{ $classify }}); a pod without a partition is never ready: add partitions, or set maxSurge 0
{{- end -}}
{{- if and (include "streamer.table" (index . 0)) (gt (int $values.table.replicas) $partitions) }}
topics.partitions: {{ $partitions }} are fewer than table.replicas ({{ $values.table.replicas }}); a pod without a partition is never ready: add partitions, or lower it
{{- end -}}
{{- if $values.judge.enabled -}}
{{- $keda := $values.judge.keda.enabled -}}
{{- $judges := $keda | ternary $values.judge.keda.maxReplicas $values.judge.replicas -}}
{{- if gt (int $judges) $partitions }}
topics.partitions: {{ $partitions }} are fewer than judge.{{ $keda | ternary "keda.maxReplicas" "replicas" }} ({{ $judges }}); a judge without a partition is a GPU that waits: add partitions, or lower it
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamer.checks.scaling" -}}
{{- $judge := (index . 0).Values.judge -}}
{{- $keda := $judge.keda -}}
{{- $security := ((index . 1).kafka | default dict).security | default dict -}}
{{- if and $judge.enabled $keda.enabled -}}
{{- if gt (int $keda.minReplicas) (int $keda.maxReplicas) }}
judge.keda.minReplicas: {{ $keda.minReplicas }} is more than maxReplicas ({{ $keda.maxReplicas }})
{{- end -}}
{{- if gt (int $keda.fallback.replicas) (int $keda.maxReplicas) }}
judge.keda.fallback.replicas: {{ $keda.fallback.replicas }} is more than maxReplicas ({{ $keda.maxReplicas }})
{{- end -}}
{{- if and (ne ($security.protocol | default "PLAINTEXT") "PLAINTEXT") (not $keda.authentication) }}
judge.keda.authentication: Kafka is reached by {{ $security.protocol }}, and KEDA asks it too: name the Secrets for sasl, username, password, tls and ca
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamer.checks.secrets" -}}
{{- $values := (index . 0).Values -}}
{{- $settings := index . 1 -}}
{{- $security := ($settings.kafka | default dict).security | default dict -}}
{{- if and $security.password (not (regexMatch "^\\$\\{\\w+\\}$" $security.password)) }}
config.kafka.security.password: a password doesn't belong into a ConfigMap; write ${KAFKA_PASSWORD}, and name its Secret in secretEnv
{{- end -}}
{{- $token := ($values.config.monitor | default dict).token -}}
{{- if $token }}
config.monitor.token: leave it out; name the token's Secret in monitor.token
{{- end -}}
{{- $known := list -}}
{{- range $values.secretEnv }}{{ $known = append $known .name }}{{ end -}}
{{- if $values.monitor.token.secret }}{{ $known = append $known "MONITOR_TOKEN" }}{{ end -}}
{{- if $values.judge.key.secret }}{{ $known = append $known "JUDGE_KEY" }}{{ end -}}
{{- range $variable := regexFindAll "\\$\\{\\w+\\}" (printf "%s\n%s" (toYaml $settings) (include "streamer.settings.judge" (index . 0))) -1 | uniq -}}
{{- $name := trimPrefix "${" $variable | trimSuffix "}" -}}
{{- if not (has $name $known) }}
secretEnv: the configuration uses {{ $variable }}, and no Secret is named for it: add {name: {{ $name }}, secret: ..., key: ...}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamer.checks.triton" -}}
{{- $values := (index . 0).Values -}}
{{- $url := ($values.config.triton | default dict).url -}}
{{- $known := ((index . 1).triton | default dict).url | default "127.0.0.1:8001" -}}
{{- if and (not $values.workers.enabled) (regexMatch "^(127\\.|localhost:|\\[::1\\])" $known) }}
config.triton.url: {{ $known }} is the pod itself; workers are not enabled, so say where your Triton is
{{- end -}}
{{- if and $values.workers.enabled $url }}
config.triton.url: the chart's own Triton is enabled; leave this out, or set workers.enabled false
{{- end -}}
{{- end -}}

{{/* What is mounted as a folder, by its place among the values. */}}
{{- define "streamer.checks.folders" -}}
{{- $root := index . 0 -}}
{{- $folders := dict "segments" $root.Values.segments -}}
{{- range $component := list "workers" "judge" -}}
{{- $values := get $root.Values $component -}}
{{- $remote := and (eq $component "judge") (include "streamer.judge.remote" $root) -}}
{{- if and $values.enabled (not $remote) }}{{ $_ := set $folders (printf "%s.models" $component) $values.models }}{{ end -}}
{{- end -}}
{{- range $place, $given := $folders -}}
{{- $name := splitList "." $place | last -}}
{{- if and (eq $given.source "claim") (not $given.claim) }}
{{ $place }}.claim: is missing; name a PersistentVolumeClaim with the {{ $name }}
{{- end -}}
{{- if and (eq $given.source "store") (not (and $given.store.image $given.store.command)) }}
{{ $place }}.store: image and command are missing; they copy the {{ $name }} to /{{ $name }}
{{- end -}}
{{- if and (eq $given.source "image") (semverCompare "<1.35.0-0" $root.Capabilities.KubeVersion.Version) }}
{{ $place }}.source: image volumes are not on before Kubernetes 1.35, and this is {{ $root.Capabilities.KubeVersion.Version }}; use claim or store
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamer.checks.segments" -}}
{{- $source := (index . 0).Values.segments.source -}}
{{- range $name, $task := (index . 1).tasks -}}
{{- with get (kindIs "map" $task | ternary $task dict) "segments" -}}
{{- if eq $source "none" }}
config.tasks.{{ $name }}.segments: no pod has {{ . }}; say in segments.source where the folder comes from, or leave this out
{{- else if not (regexMatch "^/segments/." (toString .)) }}
config.tasks.{{ $name }}.segments: {{ . }} is not in what is mounted; write /segments/ and the version's folder, such as /segments/1
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamer.checks.endpoint" -}}
{{- $values := (index . 0).Values -}}
{{- $judge := (index . 1).judge | default dict -}}
{{- $given := ($values.config.judge | default dict).endpoint | default dict -}}
{{- $remote := include "streamer.judge.remote" (index . 0) -}}
{{- if and $given.key (not (regexMatch "^\\$\\{\\w+\\}$" $given.key)) }}
config.judge.endpoint.key: a key doesn't belong into a ConfigMap; leave it out, and name its Secret in judge.key
{{- end -}}
{{- if and $remote $values.judge.gpu.count }}
judge.gpu.count: {{ $values.judge.gpu.count }} is for a model in the pod, and config.judge.kind is endpoint; set 0
{{- end -}}
{{- if and $remote (not ($judge.endpoint | default dict).url) }}
config.judge.endpoint.url: is missing; say where the model is served
{{- end -}}
{{- if and $remote (regexMatch "^https?://(127\\.|localhost[:/]|\\[::1\\])" (($judge.endpoint | default dict).url | default "")) }}
config.judge.endpoint.url: {{ $judge.endpoint.url }} is the pod itself; name the server's address in the cluster
{{- end -}}
{{- end -}}

{{- define "streamer.checks.topics" -}}
{{- $topics := (index . 0).Values.topics -}}
{{- if and (eq $topics.mode "strimzi") (lt (int $topics.replication) 1) }}
topics.replication: is missing; Strimzi asks for the number of copies: 3 in production
{{- end -}}
{{- end -}}
