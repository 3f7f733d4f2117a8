{{/* What every pod has in common: (list $ component). */}}
{{- define "streamer.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := get $root.Values $component -}}
serviceAccountName: {{ include "streamer.name" $root }}-{{ $component }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
securityContext: {{ include "streamer.podSecurity" $root }}
terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with $values.affinity }}
affinity: {{ toJson . }}
{{- end }}
{{- if $values.zoneSpread }}
topologySpreadConstraints:
  - topologyKey: topology.kubernetes.io/zone
    maxSkew: 1
    whenUnsatisfiable: {{ $values.zoneSpread }}
    matchLabelKeys: [pod-template-hash]
    labelSelector: {matchLabels: {{ include "streamer.selector" . | fromYaml | toJson }}}
  - topologyKey: kubernetes.io/hostname
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector: {matchLabels: {{ include "streamer.selector" . | fromYaml | toJson }}}
{{- end }}
{{- end -}}

{{- define "streamer.podMeta" -}}
{{- $root := index . 0 -}}
{{- $values := get $root.Values (index . 1) -}}
labels:
  {{- include "streamer.labels" . | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  {{- include "streamer.settings.checksum" . | nindent 2 }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "streamer.podSecurity" -}}
{{- $id := .Values.podSecurity -}}
{{- dict "runAsNonRoot" true "runAsUser" $id.runAsUser "runAsGroup" $id.runAsUser "fsGroup" $id.fsGroup "fsGroupChangePolicy" "OnRootMismatch" "seccompProfile" (dict "type" "RuntimeDefault") | toJson -}}
{{- end -}}

{{- define "streamer.containerSecurity" -}}
{{- dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) | toJson -}}
{{- end -}}

{{/* Resources of a container with its GPUs: the component's values. */}}
{{- define "streamer.resources" -}}
{{- $resources := deepCopy .resources -}}
{{- if .gpu.count -}}
{{- $_ := set $resources "limits" (merge (dict .gpu.resource .gpu.count) ($resources.limits | default dict)) -}}
{{- end -}}
{{- toJson $resources -}}
{{- end -}}

{{/*
A folder of files that pods read and never write: (list NAME given), given being `workers.models`,
`judge.models` or `segments`. It is mounted at /NAME.
*/}}
{{- define "streamer.folder.volume" -}}
{{- $given := index . 1 -}}
name: {{ index . 0 }}
{{- if eq $given.source "image" }}
image: {reference: {{ $given.image.reference | quote }}, pullPolicy: {{ $given.image.pullPolicy }}}
{{- else if eq $given.source "claim" }}
persistentVolumeClaim: {claimName: {{ $given.claim }}, readOnly: true}
{{- else }}
emptyDir: {sizeLimit: {{ $given.store.size }}}
{{- end }}
{{- end -}}

{{- define "streamer.folder.mount" -}}
{{- $given := index . 1 -}}
name: {{ index . 0 }}
mountPath: /{{ index . 0 }}
readOnly: true
{{- if and $given.subPath (ne $given.source "store") }}
subPath: {{ $given.subPath }}
{{- end }}
{{- end -}}

{{/* Copies the folder from an object store before the start. */}}
{{- define "streamer.folder.fetch" -}}
{{- $name := index . 0 -}}
{{- $given := index . 1 -}}
{{- if eq $given.source "store" }}
initContainers:
  - name: fetch-{{ $name }}
    image: {{ $given.store.image | quote }}
    command: {{ toJson $given.store.command }}
    {{- with $given.store.secret }}
    envFrom: [{secretRef: {name: {{ . }}}}]
    {{- end }}
    securityContext: {{ include "streamer.containerSecurity" . }}
    resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 512Mi}}
    volumeMounts:
      - {name: {{ $name }}, mountPath: /{{ $name }}}
      - {name: tmp, mountPath: /tmp}
{{- end }}
{{- end -}}

{{/* A status page's probe. Kubelet asks; an exec reaches a loopback that it doesn't. */}}
{{- define "streamer.asked" -}}
exec: {command: [python, -c, "import urllib.request as r; r.urlopen('http://127.0.0.1:{{ index . 0 }}{{ index . 1 }}', timeout=4)"]}
timeoutSeconds: 10
{{- end -}}

{{- define "streamer.disruption" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "streamer.name" $root }}-{{ $component }}
  labels: {{- include "streamer.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ (get $root.Values $component).maxUnavailable }}
  # A pod that isn't ready anyway must not stop the draining of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector: {matchLabels: {{ include "streamer.selector" . | fromYaml | toJson }}}
{{- end -}}

{{- define "streamer.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "streamer.name" (index . 0) }}-{{ index . 1 }}
  labels: {{- include "streamer.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{/* A headless Service for what scrapes: (list $ component port). */}}
{{- define "streamer.metricsService" -}}
{{- $root := index . 0 -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "streamer.name" $root }}-{{ index . 1 }}
  labels: {{- include "streamer.labels" . | nindent 4 }}
spec:
  clusterIP: None
  # Metrics are wanted of a pod that isn't ready, too.
  publishNotReadyAddresses: true
  selector: {{ include "streamer.selector" . | fromYaml | toJson }}
  ports:
    - {name: metrics, port: {{ index . 2 }}, targetPort: metrics}
{{- end -}}
