//go:build rehearse

package manifests_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cluster is Kubernetes: etcd, the API server and the controllers, as they are. Pods are made, judged and counted; they
// run where there is a node (joined), and where there is none the test says of each how it is (player).
type cluster struct {
	t      *testing.T
	dir    string // of its programs and of what it keeps
	url    string
	client *http.Client
}

const token = "of-this-rehearsal-alone"

// stamp has Kubernetes know its own version, which its build scripts else write in; Helm asks for it.
const stamp = " -X k8s.io/component-base/version.gitVersion=v1.34.4 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34"

// newCluster builds Helm, and Kubernetes from its own source: the control plane and further programs. That takes ten minutes when
// it was never built.
func newCluster(t *testing.T, further ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), client: &http.Client{
		Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // a certificate that the server just made for itself
	}}
	kubernetes := []string{"build", "-ldflags", "-w" + stamp, "-o", c.dir + "/"}
	for _, program := range append([]string{"kube-apiserver", "kube-controller-manager", "kubectl"}, further...) {
		kubernetes = append(kubernetes, "k8s.io/kubernetes/cmd/"+program)
	}
	for module, arguments := range map[string][]string{
		"helm/apiserver": kubernetes,
		"helm":           {"build", "-ldflags", "-w" + stamp, "-o", c.dir + "/", "helm.sh/helm/v3/cmd/helm"},
	} {
		build := exec.CommandContext(t.Context(), "go", arguments...)
		build.Dir = filepath.Join("../..", module)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", module, err, out)
		}
	}
	return c
}

// begin starts etcd, the API server at an address of this machine, and controllers.
func (c *cluster) begin(address, controllers string) {
	c.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		c.t.Fatal(err)
	}
	ports := freePorts(c.t, 3)
	etcd, peers, api := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1], ports[2]
	c.url = "https://" + address + ":" + api
	for name, content := range map[string]string{
		"account.key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		"tokens":      token + `,operator,1,"system:masters"` + "\n",
		"config": `{"apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
			"clusters": [{"name": "c", "cluster": {"server": "` + c.url + `", "insecure-skip-tls-verify": true}}], "users": [{"name": "u", "user": {"token": "` + token + `"}}]}`,
	} {
		c.write(name, content)
	}
	c.start("etcd", "etcd", "--data-dir", c.dir+"/etcd", "--unsafe-no-fsync", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers, "--log-level", "error")
	c.start("apiserver", c.dir+"/kube-apiserver", "--etcd-servers", etcd, "--bind-address", address, "--secure-port", api, "--cert-dir", c.dir+"/certs",
		"--authorization-mode", "RBAC", "--token-auth-file", c.dir+"/tokens", "--service-cluster-ip-range", services, "--allow-privileged", "--kubelet-preferred-address-types", "InternalIP",
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", c.dir+"/account.key", "--service-account-signing-key-file", c.dir+"/account.key")
	c.until(time.Minute, "the API server is ready", func() bool { return c.get("/readyz", nil) == nil })
	c.start("controllers", c.dir+"/kube-controller-manager", "--kubeconfig", c.dir+"/config", "--leader-elect=false", "--secure-port", "0",
		"--service-account-private-key-file", c.dir+"/account.key", "--controllers", controllers)
}

// services are where Services have their addresses.
const services = "10.96.0.0/16"

func (c *cluster) write(name, content string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		c.t.Fatal(err)
	}
}

func freePorts(t *testing.T, n int) (ports []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return ports
}

// start runs a process until the test ends, and shows what it said if that failed.
func (c *cluster) start(name string, program string, args ...string) {
	c.t.Helper()
	said := &bytes.Buffer{}
	process := exec.Command(program, args...)
	process.Stdout, process.Stderr = said, said
	if err := process.Start(); err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	c.t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		if c.t.Failed() {
			text := said.String()
			c.t.Logf("%s said: …%s", name, text[max(0, len(text)-1500):])
		}
	})
}

func (c *cluster) until(limit time.Duration, what string, done func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(limit); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// send asks the API server.
func (c *cluster) send(method, path, kind string, body any, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(context.Background(), method, c.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", kind)
	answer, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, said)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(said, into)
}

func (c *cluster) get(path string, into any) error {
	return c.send(http.MethodGet, path, "application/json", nil, into)
}

// try runs helm or kubectl.
func (c *cluster) try(program string, args ...string) (string, error) {
	run := exec.Command(filepath.Join(c.dir, program), args...)
	run.Env = append(os.Environ(), "KUBECONFIG="+c.dir+"/config", "HELM_CACHE_HOME="+c.dir, "HELM_CONFIG_HOME="+c.dir, "HELM_DATA_HOME="+c.dir)
	out, err := run.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

func (c *cluster) do(program string, args ...string) string {
	c.t.Helper()
	out, err := c.try(program, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// define makes known the kinds of others that the chart uses: as their projects define them where a Go module brings that,
// and with any content where none does.
func (c *cluster) define() {
	c.t.Helper()
	for module, folder := range map[string]string{
		"github.com/cloudnative-pg/cloudnative-pg@v1.27.0": "config/crd/bases", "github.com/cloudnative-pg/plugin-barman-cloud@v0.15.0": "config/crd/bases",
		"github.com/cert-manager/cert-manager@v1.21.2": "deploy/crds", "github.com/external-secrets/external-secrets@v0.16.2": "config/crds/bases",
	} {
		download := exec.Command("go", "mod", "download", "-json", module)
		download.Dir, download.Env = os.TempDir(), append(os.Environ(), "GOFLAGS=")
		out, err := download.Output()
		var at struct{ Dir string }
		if err != nil || json.Unmarshal(out, &at) != nil {
			c.t.Fatalf("%s: %v %s", module, err, out)
		}
		files, err := filepath.Glob(filepath.Join(at.Dir, folder, "*.io_*.yaml"))
		if err != nil || len(files) == 0 {
			c.t.Fatalf("%s has no kinds: %v", module, err)
		}
		args := []string{"apply", "--server-side"}
		for _, file := range files {
			args = append(args, "-f", file)
		}
		c.do("kubectl", args...)
	}
	for _, kind := range []string{"ServiceMonitor", "PodMonitor", "PrometheusRule"} {
		plural := strings.ToLower(kind) + "s"
		anything := map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
		if err := c.send(http.MethodPost, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "application/json", map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": plural + ".monitoring.coreos.com"},
			"spec": map[string]any{"group": "monitoring.coreos.com", "scope": "Namespaced", "names": map[string]any{"kind": kind, "plural": plural},
				"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{"openAPIV3Schema": anything}}}},
		}, nil); err != nil {
			c.t.Fatal(err)
		}
	}
	c.do("kubectl", "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
}
