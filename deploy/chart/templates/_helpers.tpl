{{- define "loadtester.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "loadtester.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $usual := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $usual .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "loadtester.labels" -}}
app.kubernetes.io/name: {{ include "loadtester.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* The loadtester's own image in a values file that was copied from its chart means: the image of the chart. */}}
{{- define "loadtester.image" -}}
{{- $ours := printf "%s%s" .Chart.AppVersion (ternary "-exec" "" (not (empty (without .Values.exec.programs "concord")))) -}}
{{- if has .Values.image.repository (list "ghcr.io/fluxcd/flagger-loadtester" "weaveworks/flagger-loadtester") -}}
ghcr.io/tollgate/tollgate:{{ $ours }}
{{- else -}}
{{ .Values.image.repository }}:{{ default $ours .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "loadtester.serviceAccount" -}}
{{- if .Values.serviceAccountName -}}
{{ .Values.serviceAccountName }}
{{- else if .Values.rbac.create -}}
{{ include "loadtester.fullname" . }}
{{- end -}}
{{- end -}}

{{- define "loadtester.state" -}}
{{- with .Values.state -}}
{{- if or .size .existingClaim .volume -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* Values that contradict each other, all at once. */}}
{{- define "loadtester.mistakes" -}}
{{- $v := .Values -}}
{{- if gt (int $v.replicaCount) 1 }}
replicaCount: got {{ $v.replicaCount }}, expected 1: gates and analyses belong to one process, and two would answer differently
{{- end }}
{{- $stores := list -}}
{{- if $v.state.size }}{{ $stores = append $stores "state.size" }}{{ end -}}
{{- if $v.state.existingClaim }}{{ $stores = append $stores "state.existingClaim" }}{{ end -}}
{{- if $v.state.volume }}{{ $stores = append $stores "state.volume" }}{{ end -}}
{{- if gt (len $stores) 1 }}
state: got {{ join " and " $stores }}, expected one of them: there is one place for the state
{{- end }}
{{- if and $v.state.storageClass (not $v.state.size) }}
state.storageClass: got '{{ $v.state.storageClass }}', expected it beside state.size: only a claim that is made here has a class
{{- end }}
{{- if and $v.tls.secret (not $v.tls.cert) }}
tls.cert: got nothing, expected the entry of Secret {{ $v.tls.secret }} with the certificate, such as tls.crt
{{- end }}
{{- if and $v.tls.secret (not $v.tls.key) }}
tls.key: got nothing, expected the entry of Secret {{ $v.tls.secret }} with the certificate's key, such as tls.key
{{- end }}
{{- if and $v.tls.clientCa (not $v.tls.secret) }}
tls.clientCa: got '{{ $v.tls.clientCa }}', expected tls.secret beside it: without a certificate there is no TLS to ask for one
{{- end }}
{{- if and $v.token.secret (not $v.token.key) }}
token.key: got nothing, expected the entry of Secret {{ $v.token.secret }} with the token, such as token
{{- end }}
{{- if and $v.tls.secret $v.istio.enabled }}
istio.enabled: got true, expected no tls.secret beside it: the mesh would speak HTTP to a service of HTTPS
{{- end }}
{{- if and $v.podDisruptionBudget.enabled (eq (toString $v.podDisruptionBudget.minAvailable) "0") }}
podDisruptionBudget.minAvailable: got 0, expected 1 or no budget: it would guard nothing
{{- end }}
{{- end -}}
