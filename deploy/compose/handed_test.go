package compose_test

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/deploy/nginx"
)

// only are the secrets that no script can make.
var only = map[string]string{
	"smtp_url": "smtp://stoa:h4rd-t0-gu3ss@mail.example:587", "tls.crt": "a certificate", "tls.key": "its key",
	"alerts_page": "https://alerts.example/stoa?how=page&to=1|2", "alerts_ticket": "https://alerts.example/stoa?how=ticket",
}

// makeSecrets runs the script that makes what is secret, in a copy of its own, and gives the
// folder.
func makeSecrets(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "compose")
	for from, to := range map[string]string{"secrets": dir, "../backup/pgbackrest.conf": filepath.Join(dir, "../backup")} {
		text, err := os.ReadFile(from)
		if err := errors.Join(err, os.MkdirAll(to, 0o700), os.WriteFile(filepath.Join(to, filepath.Base(from)), text, 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	made := filepath.Join(dir, "secrets.d")
	out, err := exec.Command(filepath.Join(dir, "secrets"), "shops.example").CombinedOutput()
	if err == nil {
		t.Fatalf("it says nothing of what it cannot make: %s", out)
	}
	for name, content := range only {
		if !strings.Contains(string(out), name) {
			t.Errorf("it does not ask for %s: %s", name, out)
		}
		if err := os.WriteFile(filepath.Join(made, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := sums(t, made)
	if out, err := exec.Command(filepath.Join(dir, "secrets"), "shops.example").CombinedOutput(); err != nil {
		t.Fatalf("run again: %v: %s", err, out)
	}
	if !maps.Equal(before, sums(t, made)) {
		t.Error("run again, it changes what is there")
	}
	return made
}

// sums are the contents of a folder's files; all of them are closed to others.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		info, err2 := entry.Info()
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s is open to everybody", entry.Name())
		}
		found[entry.Name()] = string(content)
	}
	return found
}

// TestTheProgramAcceptsItsSettings loads the program's configuration from what each of its
// services is handed.
func TestTheProgramAcceptsItsSettings(t *testing.T) {
	secrets := makeSecrets(t)
	project := load(t, production)
	for name := range project.Secrets {
		if _, err := os.Stat(filepath.Join(secrets, name)); err != nil {
			t.Errorf("nobody makes the secret %s: %v", name, err)
		}
	}
	n := 0
	for _, file := range []string{production, development} {
		each(t, load(t, file), func(t *testing.T, s types.ServiceConfig) {
			dir := secrets
			if file == development {
				dir = "dev"
			}
			var environment []string
			for name, value := range s.Environment {
				if strings.HasPrefix(name, "STOA_") && !strings.HasPrefix(name, "STOA_NGINX_") {
					environment = append(environment, name+"="+strings.Replace(*value, "/run/secrets", dir, 1))
				}
			}
			if len(environment) == 0 {
				return
			}
			n++
			config, err := app.LoadConfig(environment, nil)
			if err != nil {
				t.Error(err)
			}
			if len(config.Warnings) > 0 {
				t.Errorf("it warns: %v", config.Warnings)
			}
		})
	}
	if n < 6 {
		t.Errorf("only %d services have settings of the program", n)
	}
}

var replica = regexp.MustCompile(`api-\d`)

// TestNginxAcceptsItsConfiguration has Nginx read what its container would fill in.
func TestNginxAcceptsItsConfiguration(t *testing.T) {
	project := load(t, production)
	dir := t.TempDir()
	values := nginx.Values{}
	for name, value := range project.Services["nginx"].Environment {
		if strings.HasPrefix(name, "STOA_NGINX_") {
			values[name] = *value
		}
	}
	upstreams := replica.FindAllString(values["STOA_NGINX_UPSTREAMS"], -1)
	if len(upstreams) < 2 {
		t.Errorf("its upstreams are %q", values["STOA_NGINX_UPSTREAMS"])
	}
	for _, name := range upstreams {
		if _, known := project.Services[name]; !known {
			t.Errorf("its upstream %s is no service", name)
		}
	}
	// What is there in the container only.
	values["STOA_NGINX_UPSTREAMS"] = replica.ReplaceAllString(values["STOA_NGINX_UPSTREAMS"], "127.0.0.1")
	values["STOA_NGINX_RUN_DIR"], values["STOA_NGINX_STATUS"] = dir, "unix:"+filepath.Join(dir, "status")
	values["STOA_NGINX_CERTIFICATE"], values["STOA_NGINX_CERTIFICATE_KEY"] = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	made := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
		"-subj", "/CN=shops.example", "-out", values["STOA_NGINX_CERTIFICATE"], "-keyout", values["STOA_NGINX_CERTIFICATE_KEY"])
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("make a certificate: %v: %s", err, out)
	}
	text, err := nginx.Render(values)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, "nginx", "-t", "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
}

// TestPrometheusAndAlertmanagerAcceptTheirConfiguration has their own tools check what they
// are started with, with the rules where the container has them.
func TestPrometheusAndAlertmanagerAcceptTheirConfiguration(t *testing.T) {
	alerts, err := filepath.Abs("../../observability/alerts")
	if err != nil {
		t.Fatal(err)
	}
	seen := written(t, "prometheus", "https://shops.example/")
	accepted(t, "promtool", "check", "config", changed(t, seen, "/etc/prometheus/alerts", alerts))
	accepted(t, "amtool", "check-config", written(t, "alertmanager", only["alerts_page"], only["alerts_ticket"]))
}

// written is the configuration that a service writes for itself before it starts, which must
// hold something.
func written(t *testing.T, name string, want ...string) string {
	t.Helper()
	service := load(t, production).Services[name]
	dir := t.TempDir()
	replaced := []string{"/tmp/", dir + "/", "/run/secrets", makeSecrets(t)}
	for _, v := range service.Volumes {
		if v.Type == types.VolumeTypeBind {
			replaced = append(replaced, v.Target, v.Source)
		}
	}
	script, start, execs := strings.Cut(service.Command[0], "exec "+name)
	if !execs || !strings.Contains(start, "--config.file=/tmp/"+name+".yaml") {
		t.Fatalf("%s is started by %s", name, service.Command)
	}
	shell := exec.Command("sh", "-euc", strings.NewReplacer(replaced...).Replace(script))
	for variable, value := range service.Environment {
		shell.Env = append(shell.Env, variable+"="+*value)
	}
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
	file := filepath.Join(dir, name+".yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range want {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is started without %s", name, want)
		}
	}
	return file
}

// TestAllRulesAreLoaded finds every file of rules by Prometheus' own pattern, and no other.
func TestAllRulesAreLoaded(t *testing.T) {
	config := readPrometheus(t, "prometheus.yaml")
	files, err := filepath.Glob("../../observability/alerts/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no rules: %v", err)
	}
	for _, file := range files {
		var rules struct{ Groups []any }
		read(t, file, &rules)
		loaded := slices.ContainsFunc(config.Rules, func(pattern string) bool {
			ok, err := filepath.Match(filepath.Base(pattern), filepath.Base(file))
			return ok && err == nil
		})
		if loaded != (len(rules.Groups) > 0) {
			t.Errorf("%s has %d groups of rules, and is loaded: %v", file, len(rules.Groups), loaded)
		}
	}
}

// changed is a copy of a file with one thing in place of another, which it must hold.
func changed(t *testing.T, file, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s has no %s", file, from)
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(copied, []byte(strings.ReplaceAll(string(text), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

// accepted runs a program that says with its status whether it accepts something.
func accepted(t *testing.T, program string, args ...string) {
	t.Helper()
	if path := "/usr/sbin/" + program; !slices.Contains(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		if _, err := os.Stat(path); err == nil {
			program = path
		}
	}
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v (scripts/install-deps installs it)\n%s", program, err, out)
	}
}
