//go:build rehearse

package manifests_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/internal/rehearsal"
)

// TestRehearseNode installs the chart on a node, sells by its Service, types what runbooks and the chart's page say, changes
// the version under requests, has a release that cannot start be taken back, and goes back to the first.
func TestRehearseNode(t *testing.T) {
	var steps []rehearsal.Step
	begun := time.Now()
	step := func(done, came, lost string, values ...any) {
		steps = append(steps, rehearsal.Step{Done: done, Took: time.Since(begun), Came: fmt.Sprintf(came, values...), Lost: lost})
		begun = time.Now()
	}
	c := joined(t, func(c *cluster) { c.release("1.0.0"); c.release("2.0.0") })
	step("Kubernetes and Helm are built from their sources, two versions of the image by `buildah`, and a node joins", "it is ready", "")

	env := apptest.NewEnv(t, apptest.Env{"STOA_MAILBOX": "true"})
	c.do("kubectl", "apply", "-f", "00-namespace.yaml")
	literals := []string{"-n", "stoa", "create", "secret", "generic", "stoa", "--from-literal=STOA_SECRET_KEYS=" + env["STOA_SECRET_KEYS"]}
	cell, database, _ := strings.Cut(env["STOA_CELLS"], "=")
	for name, value := range map[string]string{
		"STOA_DATABASE_URL": outside(t, env["STOA_DATABASE_URL"]), "STOA_REDIS_URL": outside(t, env["STOA_REDIS_URL"]),
	} {
		literals = append(literals, "--from-literal="+name+"="+value)
		database = strings.ReplaceAll(database, env[name], value)
	}
	c.do("kubectl", append(literals, "--from-literal=STOA_CELLS="+cell+"="+database)...)
	c.volume()

	chart := []string{"stoa", "../../helm/stoa", "-n", "stoa", "-f", "../../helm/stoa/values-dev.yaml", "-f", "testdata/node.yaml", "--wait", "--wait-for-jobs", "--timeout", "5m"}
	begun = time.Now()
	c.do("helm", append([]string{"install", "--set", "image.tag=1.0.0"}, chart...)...)
	if states := c.do("kubectl", "-n", "stoa", "get", "pods", "-l", "app.kubernetes.io/component=migrate", "-o", "jsonpath={.items[*].status.phase}"); !strings.Contains(states, "Succeeded") {
		t.Errorf("the migrations' pods are %q", states)
	}
	if restarts := c.do("kubectl", "-n", "stoa", "get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].restartCount}"); strings.Trim(restarts, "0 ") != "" {
		t.Errorf("pods were begun again: %s", restarts)
	}
	step("`helm install --wait --wait-for-jobs`, version 1.0.0", "migrated by the Job; two processes of the API and a worker ready, none begun twice", "")
	running := processes(t, "serve", "work")
	if len(running) != 3 {
		t.Errorf("%d processes of the program run on the node", len(running))
	}
	for _, pid := range running {
		rehearsal.Confined(t, pid)
		if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err != nil || !bytes.Contains(status, []byte("\nSeccomp:\t2\n")) {
			t.Errorf("process %d has no filter of system calls (%v)", pid, err)
		}
	}
	step("each process is looked at from outside", "user 65532, no capability and no way to get one, a filter of system calls, a root that cannot be written to", "")

	c.names("stoa")
	address := c.do("kubectl", "-n", "stoa", "get", "service", "stoa-api", "-o", "jsonpath={.spec.clusterIP}")
	env["STOA_HTTP_ADDR"], env["STOA_OPS_ADDR"] = address+":8080", address+":8081"
	p := apptest.At(t, env)
	begun = time.Now()
	p.Sell(t, "../..")
	step("from sign-up to a paid order on its way, by the Service", "one order", "nothing")
	if said, err := c.try("helm", "test", "stoa", "-n", "stoa", "--logs"); err != nil || !strings.Contains(said, "the contract can be read") {
		t.Errorf("helm test: %v\n%s", err, said)
	}
	step("`helm test`", "its pod asked all it has to ask, and found the Service by its name", "")
	step("what the runbooks type", c.typed(), "")

	begun = time.Now()
	c.strike()
	step("a process of the API is killed", "the kubelet began it again, and it is ready", "what it was answering")

	asked := ask(p.URL)
	begun = time.Now()
	c.do("kubectl", "-n", "stoa", "rollout", "restart", "deployment")
	c.do("kubectl", "-n", "stoa", "rollout", "status", "deployment", "--timeout", "3m")
	c.runs("1.0.0")
	step("`kubectl rollout restart deployment`, as after a secret was changed", "%s", asked.lost(t), asked.told())

	begun = time.Now()
	c.do("helm", append([]string{"upgrade", "--set", "image.tag=2.0.0"}, chart...)...)
	c.runs("2.0.0")
	step("`helm upgrade` to 2.0.0", "%s", asked.lost(t), asked.told())

	begun = time.Now()
	said, err := c.try("helm", append([]string{"upgrade", "--set", "image.tag=2.0.0,settings.STOA_LOG_LEVEL=shouting", "--atomic"}, append(chart, "--timeout", "45s")...)...)
	if err == nil || !strings.Contains(said, "has been rolled back due to atomic") {
		t.Errorf("a release that cannot start ended so: %v", err)
	}
	c.runs("2.0.0")
	step("`helm upgrade --atomic --timeout 45s` to a setting that cannot be", "no process starts, and Helm takes it back; %s", asked.lost(t), asked.told())

	begun = time.Now()
	c.do("helm", "rollback", "stoa", "1", "-n", "stoa", "--wait", "--wait-for-jobs", "--timeout", "5m")
	c.runs("1.0.0")
	step("`helm rollback` to 1.0.0", "%s", asked.lost(t), asked.told())
	asked.end()
	begun = time.Now()
	p.Sell(t, "../..")
	step("from sign-up to a paid order once more", "one order", "nothing")

	c.do("helm", "uninstall", "stoa", "-n", "stoa", "--wait", "--timeout", "3m")
	if left := c.do("kubectl", "-n", "stoa", "get", "pvc", "-o", "name"); strings.TrimSpace(left) != "persistentvolumeclaim/stoa-files" {
		t.Errorf("of merchants' files %q is left", left)
	}
	step("`helm uninstall`", "all processes ended in order; the volume of files is still there", "nothing")
	rehearsal.Publish(t, "node", steps)
}

// volume is where merchants' files lie: a folder of the node.
func (c *cluster) volume() {
	c.t.Helper()
	folder := c.dir + "/files"
	if err := os.Mkdir(folder, 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Chown(folder, 65532, 65532); err != nil {
		c.t.Fatal(err)
	}
	c.write("volume.yaml", `{apiVersion: v1, kind: PersistentVolume, metadata: {name: files}, spec: {capacity: {storage: 5Gi}, accessModes: [ReadWriteOnce], hostPath: {path: `+folder+`}}}`)
	c.do("kubectl", "apply", "-f", c.dir+"/volume.yaml")
}

// strike kills a process of the API, and waits until it is back.
func (c *cluster) strike() {
	c.t.Helper()
	served := processes(c.t, "serve")
	if len(served) != 2 {
		c.t.Fatalf("%d processes of the API run on the node", len(served))
	}
	if err := syscall.Kill(served[0], syscall.SIGKILL); err != nil {
		c.t.Fatal(err)
	}
	c.until(time.Minute, "the process was begun again", func() bool {
		restarts := c.do("kubectl", "-n", "stoa", "get", "pods", "-l", "app.kubernetes.io/component=api", "-o", "jsonpath={.items[*].status.containerStatuses[*].restartCount}")
		return strings.Contains(restarts, "1")
	})
	c.do("kubectl", "-n", "stoa", "wait", "--for=condition=Ready", "pod", "-l", "app.kubernetes.io/component=api", "--timeout", "1m")
}

// processes are the program's on the node that were begun with one of these commands.
func processes(t *testing.T, commands ...string) (found []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		text, err := os.ReadFile(path)
		words := strings.Split(string(text), "\x00")
		group, err2 := os.ReadFile(filepath.Join(filepath.Dir(path), "cgroup"))
		if err != nil || err2 != nil || words[0] != "/usr/bin/stoa" || !slices.Contains(commands, words[1]) || !bytes.Contains(group, []byte(":/stoa-node/")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, pid)
	}
	return found
}

// typed types what docs/runbooks says of Kubernetes, as it stands there.
func (c *cluster) typed() string {
	c.t.Helper()
	page, err := os.ReadFile("../../docs/runbooks/README.md")
	if err != nil {
		c.t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "On Kubernetes")
	_, block, _ = strings.Cut(block, "```sh\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		c.t.Fatal("docs/runbooks/README.md has no commands for Kubernetes")
	}
	shell := exec.Command("bash", "-euo", "pipefail", "-c", block)
	shell.Dir = c.t.TempDir()
	shell.Env = append(os.Environ(), "PATH="+c.dir+":"+os.Getenv("PATH"), "KUBECONFIG="+c.dir+"/config")
	out, err := shell.CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", block, err, out)
	}
	log, err := os.ReadFile(filepath.Join(shell.Dir, "stoa.log"))
	if err != nil {
		c.t.Fatal(err)
	}
	requests := 0
	for line := range bytes.Lines(log) {
		if !bytes.HasPrefix(line, []byte("{")) {
			c.t.Errorf("no line of the program's: %s", line)
		}
		if bytes.Contains(line, []byte(`"msg":"request"`)) {
			requests++
		}
	}
	if !bytes.Contains(out, []byte("linen")) || requests < 10 {
		c.t.Errorf("the commands told of no store, or the log of %d requests:\n%s", requests, out)
	}
	return fmt.Sprintf("`kubectl exec` told of the store, `kubectl logs` of %d requests", requests)
}

// runs waits until nothing else runs than a version, by the program's own word. Helm waits for the new processes, and
// not for the former ones to have ended.
func (c *cluster) runs(version string) {
	c.t.Helper()
	pods := func() []string {
		return strings.Fields(c.do("kubectl", "-n", "stoa", "get", "pods", "-l", "app.kubernetes.io/component in (api, worker)", "-o", "name"))
	}
	c.until(time.Minute, "three processes are left", func() bool { return len(pods()) == 3 })
	for _, pod := range pods() {
		if said := c.do("kubectl", "-n", "stoa", "exec", pod, "--", "stoa", "version"); !strings.HasPrefix(said, "stoa "+version+" ") {
			c.t.Errorf("%s is %s, not %s", pod, said, version)
		}
	}
}

// asking asks the program all the time, by new connections, as many clients would.
type asking struct {
	sync.Mutex
	asked   int
	failed  []string
	slowest time.Duration
	stop    chan struct{}
	stopped chan struct{}
}

func ask(address string) *asking {
	a := &asking{stop: make(chan struct{}), stopped: make(chan struct{})}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		defer close(a.stopped)
		for n := 0; ; n++ {
			select {
			case <-a.stop:
				return
			case <-time.After(50 * time.Millisecond):
				a.once(client, address+[]string{"/v1/plans", "/"}[n%2], n)
			}
		}
	}()
	return a
}

func (a *asking) once(client *http.Client, address string, n int) {
	begun := time.Now()
	failed := ""
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err == nil {
		request.Host = "stoa.test"
		request.Header.Set("X-Forwarded-For", "198.51.100."+strconv.Itoa(n%250))
		var answer *http.Response
		if answer, err = client.Do(request); err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				failed = address + ": " + answer.Status
			}
		}
	}
	if err != nil {
		failed = err.Error()
	}
	a.Lock()
	defer a.Unlock()
	a.asked, a.slowest = a.asked+1, max(a.slowest, time.Since(begun))
	if failed != "" {
		a.failed = append(a.failed, failed)
	}
}

// lost fails the test when a request was not answered as it should be, and says what was lost.
func (a *asking) lost(t *testing.T) string {
	t.Helper()
	a.Lock()
	defer a.Unlock()
	if len(a.failed) > 0 || a.asked == 0 {
		t.Errorf("of %d requests %d failed: %.600q", a.asked, len(a.failed), a.failed)
		return fmt.Sprintf("%d requests", len(a.failed))
	}
	return "nothing"
}

// told says how many requests there were since it was last asked, and counts anew.
func (a *asking) told() string {
	a.Lock()
	defer a.Unlock()
	said := fmt.Sprintf("%d requests, the slowest %s", a.asked, a.slowest.Round(time.Millisecond))
	a.asked, a.slowest, a.failed = 0, 0, nil
	return said
}

func (a *asking) end() { close(a.stop); <-a.stopped }
