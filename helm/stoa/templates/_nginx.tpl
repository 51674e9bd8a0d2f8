{{- /* deploy/nginx's template filled in, as deploy/nginx/render does it: defaults.env says what there is to
fill in, this what is otherwise here, .Values.nginx.settings what is otherwise in this release. */ -}}
{{- define "stoa.nginx.conf" -}}
{{- $ours := dict
  "STOA_NGINX_USER" ""
  "STOA_NGINX_HTTP" "8080"
  "STOA_NGINX_HTTPS" "8443"
  "STOA_NGINX_BASE_DOMAIN" .Values.baseDomain
  "STOA_NGINX_CERTIFICATE" "$stoa_tls.crt"
  "STOA_NGINX_CERTIFICATE_KEY" "$stoa_tls.key"
  "STOA_NGINX_DOMAINS_DIR" "/run/stoa/certificates"
  "STOA_NGINX_RUN_DIR" "/var/lib/nginx"
  "STOA_NGINX_ACCESS_LOG" "/dev/stdout"
  "STOA_NGINX_ERROR_LOG" "/dev/stderr"
  "STOA_NGINX_UPSTREAMS" (printf "resolver %s valid=2s; server %s-api-pods.%s.svc.%s:8080 resolve max_fails=2 fail_timeout=5s;" .Values.nginx.resolver (include "stoa.name" .) .Release.Namespace .Values.clusterDomain)
-}}
{{- $settings := mergeOverwrite $ours .Values.nginx.settings -}}
{{- /* Named by a variable, the certificate is read anew when cert-manager has renewed it, and Nginx need not be
told; it is kept for ten minutes between. */ -}}
{{- $_ := set $settings "STOA_NGINX_REAL_IP" (printf "%s\n    map \"\" $stoa_tls { default /etc/stoa/tls/tls; }\n    ssl_certificate_cache max=1000 inactive=10m valid=10m;" (get $settings "STOA_NGINX_REAL_IP")) -}}
{{- $conf := .Files.Get "files/nginx/nginx.conf.template" -}}
{{- range splitList "\n" (.Files.Get "files/nginx/defaults.env") -}}
{{- if hasPrefix "STOA_NGINX_" . -}}
{{- $name := regexFind "^[A-Z_]+" . -}}
{{- $default := trimAll "'" (regexReplaceAllLiteral "^[A-Z_]+=" . "") -}}
{{- $conf = replace (printf "${%s}" $name) (hasKey $settings $name | ternary (get $settings $name) $default) $conf -}}
{{- end -}}
{{- end -}}
{{ $conf }}
{{- end -}}
